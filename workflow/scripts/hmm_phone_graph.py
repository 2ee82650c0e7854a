"""Run the stage hmm_phone_graph."""

from unscribed.hmm.graph import phone_graph
from unscribed.stage import run

run(snakemake, phone_graph)

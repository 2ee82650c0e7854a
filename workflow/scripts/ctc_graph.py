"""Run the stage ctc_graph."""

from unscribed.decoding.ctc_graph import ctc_graph
from unscribed.stage import run

run(snakemake, ctc_graph)

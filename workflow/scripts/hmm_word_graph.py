"""Run the stage hmm_word_graph."""

from unscribed.hmm.graph import word_graph
from unscribed.stage import run

run(snakemake, word_graph)

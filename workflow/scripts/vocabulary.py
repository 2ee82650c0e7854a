"""Run the stage vocabulary."""

from unscribed.outputs.pseudo_labels import vocabulary
from unscribed.stage import run

run(snakemake, vocabulary)

"""Run the stage pseudo_labels."""

from unscribed.outputs.pseudo_labels import pseudo_labels
from unscribed.stage import run

run(snakemake, pseudo_labels)

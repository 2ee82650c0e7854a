"""Run the stage hmm_figure."""

from unscribed.evaluation.figures_words import hmm_figure
from unscribed.stage import run

run(snakemake, hmm_figure)

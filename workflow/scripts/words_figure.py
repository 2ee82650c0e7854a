"""Run the stage words_figure."""

from unscribed.evaluation.figures_words import words_figure
from unscribed.stage import run

run(snakemake, words_figure)

"""Run the stage utterance_figure."""

from unscribed.evaluation.figures_utterance import utterance_figure
from unscribed.stage import run

run(snakemake, utterance_figure)

"""Run the stage seconds_figure."""

from unscribed.evaluation.figures import seconds_figure
from unscribed.stage import run

run(snakemake, seconds_figure)

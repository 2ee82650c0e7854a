"""Run the stage rounds_figure."""

from unscribed.evaluation.figures import rounds_figure
from unscribed.stage import run

run(snakemake, rounds_figure)

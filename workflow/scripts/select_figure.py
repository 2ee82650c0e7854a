"""Run the stage select_figure."""

from unscribed.evaluation.figures_select import select_figure
from unscribed.stage import run

run(snakemake, select_figure)

"""Run the stage confusions_figure."""

from unscribed.evaluation.figures import confusions_figure
from unscribed.stage import run

run(snakemake, confusions_figure)

"""Run the stage gan_figure."""

from unscribed.evaluation.figures_gan import gan_figure
from unscribed.stage import run

run(snakemake, gan_figure)

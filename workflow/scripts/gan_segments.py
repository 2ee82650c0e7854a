"""Run the stage gan_segments."""

from unscribed.gan.segments import gan_segments
from unscribed.stage import run

run(snakemake, gan_segments)

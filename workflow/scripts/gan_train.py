"""Run the stage gan_train."""

from unscribed.gan.train import gan_train
from unscribed.stage import run

run(snakemake, gan_train)

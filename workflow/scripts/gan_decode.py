"""Run the stage gan_decode."""

from unscribed.gan.transcribe import gan_decode
from unscribed.stage import run

run(snakemake, gan_decode)

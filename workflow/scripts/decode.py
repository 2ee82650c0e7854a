"""Run the stage decode."""

from unscribed.decoding.decode import decode
from unscribed.stage import run

run(snakemake, decode)

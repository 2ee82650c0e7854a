"""Run the stage silence."""

from unscribed.stage import run
from unscribed.text.silence import silence

run(snakemake, silence)

"""Run the stage silence."""

from unscribed.text.silence import silence
from unscribed.stage import run

run(snakemake, silence)

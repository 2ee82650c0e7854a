"""Run the stage transformer_lm."""

from unscribed.stage import run
from unscribed.text.transformer_lm import transformer_lm

run(snakemake, transformer_lm)

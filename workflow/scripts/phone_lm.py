"""Run the stage phone_lm."""

from unscribed.stage import run
from unscribed.text.phone_lm import phone_lm

run(snakemake, phone_lm)

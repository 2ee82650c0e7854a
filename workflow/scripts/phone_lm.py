"""Run the stage phone_lm."""

from unscribed.text.phone_lm import phone_lm
from unscribed.stage import run

run(snakemake, phone_lm)

"""Run the stage phonemize."""

from unscribed.text.phonemize import phonemize
from unscribed.stage import run

run(snakemake, phonemize)

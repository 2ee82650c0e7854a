"""Run the stage phonemize."""

from unscribed.stage import run
from unscribed.text.phonemize import phonemize

run(snakemake, phonemize)

"""Run the stage ctc_words."""

from unscribed.decoding.ctc_decode import ctc_words
from unscribed.stage import run

run(snakemake, ctc_words)

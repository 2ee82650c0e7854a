"""Run the stage word_lm."""

from unscribed.stage import run
from unscribed.text.word_lm import word_lm

run(snakemake, word_lm)

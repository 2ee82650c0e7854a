"""Run the stage words."""

from unscribed.hmm.words import words
from unscribed.stage import run

run(snakemake, words)

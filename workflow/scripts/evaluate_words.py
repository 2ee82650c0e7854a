"""Run the stage evaluate_words."""

from unscribed.evaluation.words import evaluate_words
from unscribed.stage import run

run(snakemake, evaluate_words)

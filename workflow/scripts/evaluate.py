"""Run the stage evaluate."""

from unscribed.evaluation.metrics import evaluate
from unscribed.stage import run

run(snakemake, evaluate)

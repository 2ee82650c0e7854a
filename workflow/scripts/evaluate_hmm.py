"""Run the stage evaluate_hmm."""

from unscribed.evaluation.hmm import evaluate_hmm
from unscribed.stage import run

run(snakemake, evaluate_hmm)

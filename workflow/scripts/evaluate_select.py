"""Run the stage evaluate_select."""

from unscribed.evaluation.select import evaluate_select
from unscribed.stage import run

run(snakemake, evaluate_select)

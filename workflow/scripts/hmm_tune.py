"""Run the stage hmm_tune."""

from unscribed.hmm.tune import hmm_tune
from unscribed.stage import run

run(snakemake, hmm_tune)

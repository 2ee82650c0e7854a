"""Run the stage hmm_train."""

from unscribed.hmm.train import hmm_train
from unscribed.stage import run

run(snakemake, hmm_train)

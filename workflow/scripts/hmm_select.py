"""Run the stage hmm_select."""

from unscribed.hmm.select import hmm_select
from unscribed.stage import run

run(snakemake, hmm_select)

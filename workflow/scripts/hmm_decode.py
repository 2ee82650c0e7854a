"""Run the stage hmm_decode."""

from unscribed.hmm.decode import hmm_decode
from unscribed.stage import run

run(snakemake, hmm_decode)

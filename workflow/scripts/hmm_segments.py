"""Run the stage hmm_segments."""

from unscribed.hmm.segments import hmm_segments
from unscribed.stage import run

run(snakemake, hmm_segments)

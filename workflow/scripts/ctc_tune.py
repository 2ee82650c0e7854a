"""Run the stage ctc_tune."""

from unscribed.decoding.ctc_tune import ctc_tune
from unscribed.stage import run

run(snakemake, ctc_tune)

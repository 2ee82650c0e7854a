"""Run the stage ctc_rescore_tune."""

from unscribed.decoding.ctc_rescore import ctc_rescore_tune
from unscribed.stage import run

run(snakemake, ctc_rescore_tune)

"""Run the stage ctc_rescore."""

from unscribed.decoding.ctc_rescore import ctc_rescore
from unscribed.stage import run

run(snakemake, ctc_rescore)

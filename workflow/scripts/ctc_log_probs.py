"""Run the stage ctc_log_probs."""

from unscribed.stage import run
from unscribed.wav2vec.ctc import ctc_log_probs

run(snakemake, ctc_log_probs)

"""Run the stage ctc_greedy."""

from unscribed.stage import run
from unscribed.wav2vec.ctc import ctc_greedy

run(snakemake, ctc_greedy)

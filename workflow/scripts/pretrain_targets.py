"""Run the stage pretrain_targets."""

from unscribed.stage import run
from unscribed.wav2vec.targets import fit_targets

run(snakemake, fit_targets)

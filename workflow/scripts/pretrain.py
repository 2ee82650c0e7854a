"""Run the stage pretrain."""

from unscribed.stage import run
from unscribed.wav2vec.pretrain import pretrain

run(snakemake, pretrain)

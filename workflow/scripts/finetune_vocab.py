"""Run the stage finetune_vocab."""

from unscribed.stage import run
from unscribed.wav2vec.labels import finetune_vocab

run(snakemake, finetune_vocab)

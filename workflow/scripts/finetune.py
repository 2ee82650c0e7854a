"""Run the stage finetune."""

from unscribed.stage import run
from unscribed.wav2vec.finetune import finetune

run(snakemake, finetune)

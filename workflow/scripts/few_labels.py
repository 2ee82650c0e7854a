"""Run the stage few_labels."""

from unscribed.stage import run
from unscribed.wav2vec.labels import few_labels

run(snakemake, few_labels)

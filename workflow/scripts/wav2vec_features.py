"""Run the stage features, kind wav2vec, or one shard of it."""

from unscribed.stage import run
from unscribed.wav2vec.extract import wav2vec_features

run(snakemake, wav2vec_features)

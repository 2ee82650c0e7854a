"""Run the stage features, kind wav2vec: join its shards."""

from unscribed.stage import run
from unscribed.wav2vec.parts import join_shards

run(snakemake, join_shards)

"""Run the stage codebook."""

from unscribed.stage import run
from unscribed.wav2vec.codebook import codebook

run(snakemake, codebook)

"""Run the stage features."""

from unscribed.audio.features import features
from unscribed.stage import run

run(snakemake, features)

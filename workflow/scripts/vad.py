"""Run the stage vad."""

from unscribed.audio.vad import vad
from unscribed.stage import run

run(snakemake, vad)

"""Run the stage manifest."""

from unscribed.audio.manifest import manifest
from unscribed.stage import run

run(snakemake, manifest)

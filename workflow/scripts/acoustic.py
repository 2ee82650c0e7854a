"""Run the stage acoustic."""

from unscribed.matching.acoustic import acoustic
from unscribed.stage import run

run(snakemake, acoustic)

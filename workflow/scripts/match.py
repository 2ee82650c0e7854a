"""Run the stage match."""

from unscribed.matching.match import match
from unscribed.stage import run

run(snakemake, match)

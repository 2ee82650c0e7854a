"""Run the stage select."""

from unscribed.matching.select import select
from unscribed.stage import run

run(snakemake, select)

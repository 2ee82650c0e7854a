"""Run the stage select."""

from unscribed.selection.select import select
from unscribed.stage import run

run(snakemake, select)

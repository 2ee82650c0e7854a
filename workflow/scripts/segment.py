"""Run the stage segment."""

from unscribed.stage import run
from unscribed.units.segment import segment

run(snakemake, segment)

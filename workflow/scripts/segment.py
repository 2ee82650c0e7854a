"""Run the stage segment."""

from unscribed.units.segment import segment
from unscribed.stage import run

run(snakemake, segment)

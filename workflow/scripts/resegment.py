"""Run the stage resegment."""

from unscribed.matching.resegment import resegment
from unscribed.stage import run

run(snakemake, resegment)

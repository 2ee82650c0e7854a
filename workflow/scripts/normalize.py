"""Run the stage normalize."""

from unscribed.stage import run
from unscribed.text.normalize import normalize

run(snakemake, normalize)

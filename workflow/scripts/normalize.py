"""Run the stage normalize."""

from unscribed.text.normalize import normalize
from unscribed.stage import run

run(snakemake, normalize)

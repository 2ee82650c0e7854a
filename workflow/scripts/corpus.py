"""Run the stage corpus."""

from unscribed.corpora.build import build
from unscribed.stage import run

run(snakemake, build)

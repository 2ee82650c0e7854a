"""Run the stage references."""

from unscribed.corpora.build import build_references
from unscribed.stage import run

run(snakemake, build_references)

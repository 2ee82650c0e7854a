"""Run the stage ctm."""

from unscribed.outputs.ctm import ctm
from unscribed.stage import run

run(snakemake, ctm)

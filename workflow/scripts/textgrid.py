"""Run the stage textgrid."""

from unscribed.outputs.textgrid import textgrid
from unscribed.stage import run

run(snakemake, textgrid)

"""Run the stage codebook_figure."""

from unscribed.evaluation.figures_wav2vec import codebook_figure
from unscribed.stage import run

run(snakemake, codebook_figure)

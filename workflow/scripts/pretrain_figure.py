"""Run the stage pretrain_figure."""

from unscribed.evaluation.figures_wav2vec import pretrain_figure
from unscribed.stage import run

run(snakemake, pretrain_figure)

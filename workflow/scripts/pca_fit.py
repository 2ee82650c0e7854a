"""Run the stage pca_fit."""

from unscribed.stage import run
from unscribed.units.pca import fit_pca

run(snakemake, fit_pca)

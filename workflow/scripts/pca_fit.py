"""Run the stage pca_fit."""

from unscribed.units.pca import fit_pca
from unscribed.stage import run

run(snakemake, fit_pca)

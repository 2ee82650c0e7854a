"""Run the stage pca_apply."""

from unscribed.units.pca import apply_pca
from unscribed.stage import run

run(snakemake, apply_pca)

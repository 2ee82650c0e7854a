"""Run the stage pca_apply."""

from unscribed.stage import run
from unscribed.units.pca import apply_pca

run(snakemake, apply_pca)

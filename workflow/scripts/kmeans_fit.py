"""Run the stage kmeans_fit."""

from unscribed.stage import run
from unscribed.units.kmeans import fit_kmeans

run(snakemake, fit_kmeans)

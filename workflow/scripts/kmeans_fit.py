"""Run the stage kmeans_fit."""

from unscribed.units.kmeans import fit_kmeans
from unscribed.stage import run

run(snakemake, fit_kmeans)

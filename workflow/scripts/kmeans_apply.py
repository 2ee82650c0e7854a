"""Run the stage kmeans_apply."""

from unscribed.units.kmeans import apply_kmeans
from unscribed.stage import run

run(snakemake, apply_kmeans)

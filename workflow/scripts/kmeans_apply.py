"""Run the stage kmeans_apply."""

from unscribed.stage import run
from unscribed.units.kmeans import apply_kmeans

run(snakemake, apply_kmeans)

"""Run the stage flat_labels."""

from unscribed.hmm.transcripts import flat_labels
from unscribed.stage import run

run(snakemake, flat_labels)

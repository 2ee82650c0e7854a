"""Run the stage word_alignment."""

from unscribed.hmm.transcripts import word_alignment
from unscribed.stage import run

run(snakemake, word_alignment)

"""Run the stage supervised_text."""

from unscribed.hmm.transcripts import supervised_text
from unscribed.stage import run

run(snakemake, supervised_text)

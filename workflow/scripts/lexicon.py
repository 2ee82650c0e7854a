"""Run the stage lexicon."""

from unscribed.text.lexicon import lexicon
from unscribed.stage import run

run(snakemake, lexicon)

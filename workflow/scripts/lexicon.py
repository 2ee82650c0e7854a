"""Run the stage lexicon."""

from unscribed.stage import run
from unscribed.text.lexicon import lexicon

run(snakemake, lexicon)

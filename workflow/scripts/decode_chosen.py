"""Run the stage decode_chosen."""

from unscribed.selection.decode import decode_chosen
from unscribed.stage import run

run(snakemake, decode_chosen)

"""Call the function that the rule names in its params."""

from unscribed.stage import call

call(snakemake)

"""A configuration as the rules take it: checked against the schema, completed with its defaults, its values checked.

Every Snakemake process loads this, on compute nodes too: it imports nothing heavy.
"""

from pathlib import Path
from typing import Any

from unscribed.config.checks import check
from unscribed.config.problems import Json
from unscribed.config.schema import complete

SCHEMA = "workflow/schemas/config.schema.yaml"


def load(config: Json, root: str | Path) -> dict[str, Any]:
    """Return the complete configuration; `root` is the folder of the Snakefile.

    Raises UserError with one line per mistake, those of the schema first: values are compared only when each is right.
    """
    completed = complete(config, Path(root) / SCHEMA)
    # The sizes that come with the workflow are found from any working directory.
    sizes = completed["pretrain"]["model"]
    shipped = Path(root) / sizes
    if shipped.is_file() and not Path(sizes).is_file():
        completed["pretrain"]["model"] = str(shipped)
    check(completed)
    return completed

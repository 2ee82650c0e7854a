"""Load a configuration: check it against the schema, fill in the defaults, check that the values fit each other.

Every Snakemake process loads this, on compute nodes too: it imports nothing heavy.
"""

from pathlib import Path
from typing import Any

from unscribed.config.checks import check
from unscribed.config.problems import Json
from unscribed.config.schema import complete

SCHEMA = "workflow/schemas/config.schema.yaml"  # relative to the folder of the Snakefile


def load(config: Json, root: str | Path) -> dict[str, Any]:
    """Return the complete configuration; `root` is the folder of the Snakefile.

    Raises UserError with one line per mistake. Values are compared with each other only if the schema finds no mistake.
    """
    completed = complete(config, Path(root) / SCHEMA)
    # The files in config/models, which come with the workflow, are found from any working directory.
    model = completed["pretrain"]["model"]
    shipped = Path(root) / model
    if shipped.is_file() and not Path(model).is_file():
        completed["pretrain"]["model"] = str(shipped)
    check(completed)
    return completed

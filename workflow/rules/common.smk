"""The configuration, checked and completed, and the names that all rules share."""

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir) / "workflow"))

from unscribed.config import check, complete
from unscribed.errors import UserError

try:
    config = complete(config, Path(workflow.basedir) / "workflow/schemas/config.schema.yaml")
    check(config)
except UserError as error:
    raise WorkflowError(f"the configuration has errors:\n{error}") from None

CORPUS = config["corpus"]["name"]
KIND = config["corpus"]["kind"]
RESULTS = f"results/{CORPUS}"
LOGS = f"results/{CORPUS}/logs"
BENCHMARKS = f"results/{CORPUS}/benchmarks"
SPLITS = ["train", "valid", "test"]
SEEDS = config["match"]["seeds"]
ROUNDS = config["match"]["rounds"]
RATE = config["audio"]["sample_rate_hz"]


wildcard_constraints:
    split="|".join(SPLITS),
    seed=r"\d+",
    round=r"[1-9]\d*",
    index=r"\d+",


def code(*modules):
    """The sources of a stage: an edit runs the stage again, which Snakemake would not notice by itself."""
    return [workflow.source_path(f"../unscribed/{module}.py") for module in modules]


def corpus_settings():
    """The config section of this kind of corpus."""
    return config["corpus"][KIND if KIND in ("espeak", "asterisk", "folder") else "dataset"]


def has_references():
    """Whether this corpus has transcripts to score against."""
    return KIND != "folder" or bool(config["corpus"]["folder"]["transcripts"])


def references(*splits):
    """Transcripts, for the evaluation only; an empty list if the corpus has none."""
    return [f"{RESULTS}/references/{split}.parquet" for split in splits] if has_references() else []


def figures():
    """All figures of the report."""
    names = ["rounds", "confusions", "seconds"]
    names += [f"utterance.{index}" for index in range(config["report"]["utterances"])]
    return [f"{RESULTS}/figures/{name}.png" for name in names]


def before(wildcards, first, later):
    """`first` in round 1, else `later` with {seed} and {round} of the round before."""
    number = int(wildcards.round)
    return first if number == 1 else later.format(seed=wildcards.seed, round=number - 1)


def force(stage, *rules):
    """Let `--forcerun stage` mean the stage's own rules: the target `stage` only gathers their outputs."""
    settings = workflow.dag_settings
    if settings is not None and stage in settings.forcerun:
        settings.forcerun = frozenset(settings.forcerun) | set(rules)

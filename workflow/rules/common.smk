"""The configuration, checked and completed, and the plan that all rules read."""

import os
import sys
from pathlib import Path

# Waiting threads must not spin, which takes cores from other jobs: on busy cores, training was 3 to 5 times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

sys.path.insert(0, str(Path(workflow.basedir) / "workflow"))

from unscribed.config.load import load
from unscribed.errors import UserError
from unscribed.figures.table import FIGURES
from unscribed.gan.runs import MOMENTS
from unscribed.plan.candidates import hypotheses
from unscribed.plan.corpus import EVALUATED, SPLITS
from unscribed.plan.endings import repeat_errors, show_summary
from unscribed.plan.finetune import DECODERS, HOURS, PSEUDO_LABELS, few_hours, round_words
from unscribed.plan.finetune import valid_pseudo_labels, valid_transcripts
from unscribed.plan.hmm import cycle_before, place_text, supervised_step_labels
from unscribed.plan.matching import round_before
from unscribed.plan.snakemake_hooks import PROJECT, Section, force, link, project_file, warn
from unscribed.plan.workflow import Plan

try:
    config = load(config, workflow.basedir)
except UserError as error:
    sys.exit(f"error: {error}")  # an exception would print lines of this file

plan = Plan.from_config(config)
warn(workflow, plan.teacher.left_out)
RATE = config["audio"]["sample_rate_hz"]
HOP_MS = plan.features.hop_ms


wildcard_constraints:
    split="|".join(SPLITS),
    seed=r"\d+",
    round=r"[1-9]\d*",
    job=r"\d+",
    run=r"\d+",
    moment="|".join(MOMENTS),
    index=r"\d+",
    order=r"[3-6]",
    shard=r"\d+",
    labels="|".join([*HOURS, r"pseudo[1-9]\d*"]),
    decoder="|".join(DECODERS),


def section(name, **changes):
    """Return a section for `params`, cut by `link` to the keys that the function takes: others cause no rerun."""
    return Section({**config[name], **changes})


def environment(device):
    """Return the conda environment of a rule that runs on `device`, as a path from the folder workflow/rules."""
    return f"../../envs/{'gpu' if device == 'cuda' else 'cpu'}.yaml"

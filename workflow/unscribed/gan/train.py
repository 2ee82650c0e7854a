"""Stage gan: train the runs of one job side by side and keep the best of each by a label-free score.

Dimensions: N runs, S segments, V phones.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from unscribed.artifacts import Pathlike
from unscribed.devices import device_of
from unscribed.errors import UserError
from unscribed.frames import FrameStore
from unscribed.gan.batches import RandomStreams, Sequences, read_segments, read_sentences, read_targets
from unscribed.gan.check import LabelFreeScorer
from unscribed.gan.curves import GanCurveTable
from unscribed.gan.discriminator import init_discriminator
from unscribed.gan.generator import Shape, init_generator, init_statistics
from unscribed.gan.job import GanJob
from unscribed.gan.penalties import PENALTIES
from unscribed.gan.runs import MOMENTS, WARM_STARTS, GanSettings, Run
from unscribed.gan.trainer import GanTrainer, Rates, TrainingData, Turns
from unscribed.gan.warm_start import read_segment_labels, warm_start
from unscribed.text.arpa import Arpa
from unscribed.text.inventory import read_inventory
from unscribed.text.silence import SilenceSettings

log = logging.getLogger(__name__)

INIT_STREAM = 2**40  # random stream of the initial weights; never the number of an update


def gan_train(
    *,
    audio: Pathlike,
    valid: Pathlike,
    phones_text: Pathlike,
    phones: Pathlike,
    arpa: Pathlike,
    targets: Pathlike | Sequence[str],
    labels: Sequence[str],
    starts: Sequence[str],
    boundaries: Pathlike | Sequence[str],
    runs: Sequence[Run],
    numbers: Sequence[int],
    settings: GanSettings,
    silence: SilenceSettings,
    threads: int,
    models: Sequence[str],
    curves: Pathlike,
) -> None:
    """Train `runs`, which have these `numbers`; write their generators at each of MOMENTS (`models`) and the `curves`.

    `audio` and `valid` are stores of segment representations or frames; valid is only decoded, for the checks.
    `targets` are clusters of MFCCs of the training audio, if there is an auxiliary loss; `labels` the decoded phones of
    the training audio that runs start from, by the `starts` in their order, and `boundaries` its segments. A killed job
    resumes at its last check.
    Raises UserError for text and audio that do not fit together, and if every run diverged.
    """
    torch.set_num_threads(threads)
    device = device_of(settings.device, "gan.device")
    inventory = read_inventory(phones)
    store = FrameStore(audio)
    pseudo_labels, clusters = read_targets(targets, store, device) if targets else (None, 0)
    data = TrainingData(read_segments(audio, device), read_sentences(phones_text, inventory, device), pseudo_labels)
    shape = Shape(store.data.shape[1], len(inventory), settings.kernel, settings.stride, settings.residual, clusters)
    trainer = new_trainer(data, shape, settings, runs, device)
    state = Path(curves).with_name("state.safetensors")
    scorer = LabelFreeScorer(Arpa.read(arpa), inventory, silence)
    job = GanJob(trainer, list(runs), list(numbers), settings, inventory, scorer)
    if not job.resume(state):
        every = zip(starts, labels, strict=True)
        start_warm(
            trainer,
            runs,
            {start: read_segment_labels(path, store, boundaries, inventory, device) for start, path in every},
        )
        job.begin()
    job.train(read_segments(valid, device), state)
    if all(status.startswith("diverged") for status in job.status):
        state.unlink(missing_ok=True)
        raise UserError(
            f"all {len(runs)} runs of {curves} diverged (see the log): lower gan.generator_learning_rate and "
            "gan.discriminator_learning_rate, or gan.batch_norm."
        )
    for moment, path in zip(MOMENTS, models, strict=True):
        job.generators(moment).write(path, job.about())
    GanCurveTable.from_records(job.rows).write(curves)
    state.unlink(missing_ok=True)


def new_trainer(
    data: TrainingData, shape: Shape, settings: GanSettings, runs: Sequence[Run], device: torch.device
) -> GanTrainer:
    """Make a trainer whose initial weights are drawn with each run's seed."""
    seeds = [run["seed"] for run in runs]
    streams = RandomStreams(seeds, INIT_STREAM, torch.device("cpu")).generators
    state = {
        "generator": init_generator(shape, settings.batch_norm, streams),
        "statistics": init_statistics(shape, len(runs)),
        "discriminator": init_discriminator(
            shape.phones, settings.discriminator_dims, settings.discriminator_kernel, streams
        ),
    }
    state = {group: {name: value.to(device) for name, value in part.items()} for group, part in state.items()}

    def vector(values: list[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device)

    penalties = {name: vector([{**asdict(settings), **run}[name] for run in runs]) for name in PENALTIES}
    if data.targets is None:
        del penalties["auxiliary"]
    rates = Rates(
        vector([settings.generator_learning_rate for _ in runs]),
        vector([settings.discriminator_learning_rate for _ in runs]),
    )
    turns = Turns(settings.batch_size, settings.dropout, settings.discriminator_first, settings.average)
    return GanTrainer(data, shape, state, penalties, rates, seeds, turns)


def start_warm(trainer: GanTrainer, runs: Sequence[Run], labels: Mapping[str, Sequences]) -> None:
    """Train the generators of the runs that start from labels on those of their start (`match`, `teacher`)."""
    for start in WARM_STARTS:
        if warm := [number for number, run in enumerate(runs) if run["start"] == start]:
            _learn_labels(trainer, runs, warm, labels[start])


def _learn_labels(trainer: GanTrainer, runs: Sequence[Run], warm: list[int], labels: Sequences) -> None:
    """Train the generators of the runs with the numbers `warm`, in place."""
    weights = {name: value[warm].clone() for name, value in trainer.generator.items()}
    statistics = {name: value[warm].clone() for name, value in trainer.statistics.items()}
    losses = warm_start(weights, statistics, trainer.data.audio, labels, [runs[number]["seed"] for number in warm])
    for name, value in weights.items():
        trainer.generator[name][warm] = value
        trainer.averaged[name][warm] = value
    for name, value in statistics.items():
        trainer.statistics[name][warm] = value
    log.info("%d runs start from labels (%s): cross entropy %.3f", len(warm), runs[warm[0]]["start"], losses.mean())

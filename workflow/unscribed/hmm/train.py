"""Stage hmm_train: a GMM-HMM from labels, by Viterbi training with growing mixtures.

As in Kaldi's train_mono.sh and train_lda_mllt.sh, in fewer iterations: the labels come with times, so that training
starts from them and not from a flat start. There is no MLLT, for which the wheels have no accumulators.
Dimensions: T frames of all utterances, D features, P states (pdfs).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unscribed.acoustic.network_settings import NetworkSettings
from unscribed.artifacts import Pathlike
from unscribed.frames import BLOCK_FRAMES, FrameStore
from unscribed.hmm.align import align, state_sequence, transition_counts, uniform_states
from unscribed.hmm.frontend import FrontEnd, lda_context, scaling, with_lda
from unscribed.hmm.gmm import MIN_FRAMES, Mixtures, reestimate, single_gaussians, split
from unscribed.hmm.labels import Labelled, read_labelled
from unscribed.hmm.model import HmmModel
from unscribed.hmm.settled import passed_on
from unscribed.hmm.topology import Topology, states_per_phone
from unscribed.parallel import numeric_map
from unscribed.text.inventory import read_inventory

log = logging.getLogger(__name__)

# Measured beside the frames themselves: blocks and sums of the estimation in MB, numbers of each frame in bytes.
WORKING_MB, FRAME_BYTES = 300, 48
GROWING = 0.7  # mixtures are split in this first share of the iterations, then only re-estimated


@dataclass(frozen=True)
class TrainSettings:
    """Training parameters from section `hmm`."""

    states: int | None
    iterations: int
    realign: int
    lda_dims: int
    lda_context_ms: float
    max_memory_mb: int


def hmm_train(
    *,
    features: Pathlike,
    labels: Pathlike,
    phones: Pathlike,
    kind: Mapping[str, Any],
    settings: TrainSettings,
    network: NetworkSettings,
    seed: int,
    threads: int,
    model: Pathlike,
    settled: float = 0.0,
    before: Pathlike | None = None,
    before_weights: Pathlike | None = None,
) -> None:
    """Train the model of a step of self-training on the frame store `features` and `labels`.

    `kind` has its `features`, the number of its `gaussians` and whether there is a `network`, whose settings `network`
    has. If self-training has settled at the step before, its model `before` is passed on. Raises UserError for labels
    that do not belong to the store, or that hold fewer than two phones.
    """
    if passed_on(before_weights, settled, {model: before}):
        return
    store = FrameStore(features)
    inventory = read_inventory(phones)
    dims = settings.lda_dims if kind["features"] == "lda" else store.data.shape[1]
    labelled = read_labelled(labels, store, inventory, most_frames(settings.max_memory_mb, dims), seed)
    topology = Topology(inventory, states_per_phone(settings.states, store.metadata["hop_ms"]))
    positions = np.concatenate([np.arange(*store.offsets[item.number : item.number + 2]) for item in labelled])
    states = np.concatenate(
        [uniform_states(item.phone_ids, item.starts, store.lengths[item.number], topology) for item in labelled]
    )
    front_end = scaling(store, positions)
    if kind["features"] == "lda":
        context = lda_context(settings.lda_context_ms, store, settings.max_memory_mb)
        front_end = with_lda(front_end, store, positions, states, dims, context, seed)
    del positions  # 8 bytes per frame
    trainer = ViterbiTrainer(store, labelled, front_end, topology, threads)
    trainer.start(states)
    trainer.run(settings.iterations, settings.realign, kind["gaussians"])
    trained = trainer.model()
    if kind["network"]:
        # imported here because torch takes two seconds to load
        from unscribed.hmm.network import train_networks

        networks = train_networks(store, labelled, front_end.scale, len(inventory), network, seed, threads)
        trained = replace(trained, networks=networks)
    trained.write(model)


def most_frames(max_memory_mb: int, dims: int) -> int:
    """Return the number of frames of `dims` float32 features that training holds in `max_memory_mb`."""
    return max(1, int((max_memory_mb - WORKING_MB) * 1e6) // (4 * dims + FRAME_BYTES))


class ViterbiTrainer:
    """Viterbi training on one set of labelled utterances, whose frames (T, D) are held in memory."""

    def __init__(
        self, store: FrameStore, labelled: list[Labelled], front_end: FrontEnd, topology: Topology, threads: int
    ) -> None:
        self.front_end, self.topology, self.threads = front_end, topology, threads
        lengths = store.lengths[[item.number for item in labelled]]
        self.offsets = np.concatenate([[0], np.cumsum(lengths)])
        self.frames = np.empty((self.offsets[-1], front_end.size), dtype=np.float32)
        for item, start, end in zip(labelled, self.offsets[:-1], self.offsets[1:], strict=True):
            self.frames[start:end] = front_end(store, item.number, item.number + 1)
            if start // BLOCK_FRAMES < end // BLOCK_FRAMES:
                store.release()
        self.sequences = [state_sequence(item.phone_ids, topology) for item in labelled]
        self.states = np.empty(0, dtype=np.int32)
        self.mixtures: Mixtures

    def start(self, states: np.ndarray) -> None:
        """Initialise one Gaussian per state from an alignment (T,)."""
        self.states = states
        self.mixtures = single_gaussians(self.frames, states, self.topology.transitions.num_pdfs)
        rare = int((np.bincount(states, minlength=len(self.mixtures.offsets) - 1) < MIN_FRAMES).sum())
        log.info("%d utterances, %d frames, %d states (%d rare)", len(self.sequences), len(states), states.max(), rare)

    def run(self, iterations: int, realign: int, gaussians: int) -> None:
        """Run `iterations` of EM, growing to `gaussians` in all; realign before `realign` of them, evenly spread."""
        size = len(self.mixtures.offsets) - 1
        growing = max(1, round(GROWING * iterations))
        aligning = set(np.linspace(1, iterations, realign + 1)[1:].round().astype(int)) if realign else set()
        for iteration in range(1, iterations + 1):
            if iteration in aligning:
                self.align()
            self.mixtures, counts, score = reestimate(self.mixtures, self.frames, self.states)
            if iteration <= growing:
                target = size + round((gaussians - size) * iteration / growing)
                if target > len(self.mixtures.weights):
                    self.mixtures = split(self.mixtures, counts, target)
        log.info("%d Gaussians, log likelihood of a frame %.2f", len(self.mixtures.weights), score)

    def align(self) -> None:
        """Align with the current model (Viterbi); utterances too short for their phones are left out."""
        offsets, mixtures = self.offsets, self.mixtures

        def path(number: int) -> np.ndarray:
            own = self.frames[offsets[number] : offsets[number + 1]]
            states, places = np.unique(self.sequences[number], return_inverse=True)
            return align(mixtures.log_likelihoods(own, states), places.astype(np.int32))

        paths = list(numeric_map(path, range(len(self.sequences)), self.threads, "align"))
        parts = [
            sequence[found] if len(found) else np.full(end - start, -1, dtype=np.int32)
            for found, sequence, start, end in zip(paths, self.sequences, offsets[:-1], offsets[1:], strict=True)
        ]
        self.states = np.concatenate(parts)
        failed = sum(not len(found) for found in paths)
        if failed:
            log.info("%d utterances are shorter than their labels' states and are left out", failed)
        self.topology = replace(self.topology, counts=transition_counts(paths, self.sequences, self.topology))

    def model(self) -> HmmModel:
        """Return the trained model."""
        return HmmModel(self.front_end, self.mixtures, self.topology)

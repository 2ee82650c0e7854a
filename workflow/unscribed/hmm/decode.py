"""Stage hmm_decode: the best phones of one split, with their times: labels of the next step, or the result."""

import logging
import time

from unscribed.artifacts import FrameStore, Pathlike, read_json, write_table
from unscribed.audio.parallel import log_speed
from unscribed.decoding.decode import DECODE_SCHEMA
from unscribed.decoding.graph import Graph
from unscribed.hmm.model import HmmModel
from unscribed.hmm.search import Beam, Weights, decode_store
from unscribed.hmm.tune import TuneSettings

log = logging.getLogger(__name__)


def hmm_decode(
    *,
    features: Pathlike,
    model: Pathlike,
    graph: Pathlike,
    weights: Pathlike,
    settings: TuneSettings,
    threads: int,
    decoded: Pathlike,
) -> None:
    """Decode every utterance; one that no path explains gets no phones and is named in the log."""
    started = time.monotonic()
    store, acoustic = FrameStore(features), HmmModel.read(model)
    topology = acoustic.topology
    chosen = read_weights(weights)
    beam = Beam(settings.beam, settings.max_active, 0.0)
    columns: dict[str, list] = {name: [] for name, _ in DECODE_SCHEMA}
    failed = []
    found = decode_store(acoustic, store, Graph.read(graph), chosen, beam, threads, range(len(store)))
    for number, lattice in enumerate(found):
        phones, starts = topology.phones_of(lattice.alignment()) if lattice else ([], [])
        if lattice is None:
            failed.append(store.utterances[number])
        columns["utterance"].append(store.utterances[number])
        columns["phones"].append([topology.phones[phone - 1] for phone in phones])
        columns["starts_frames"].append(starts)
        columns["frames"].append(int(store.offsets[number + 1] - store.offsets[number]))
    write_table(decoded, columns, DECODE_SCHEMA, store.metadata)
    log_failed(failed)
    log_speed(log, len(store), float(store.offsets[-1]) * store.metadata["hop_ms"] / 1000, started)


def read_weights(path: Pathlike) -> Weights:
    """The weights that the stage hmm_tune has chosen."""
    values = read_json(path)
    return Weights(values["lm_weight"], values["insertion_penalty"])


def log_failed(utterances: list[str]) -> None:
    """Say which utterances no path of the graph explains: mostly shorter than any sentence of the language model."""
    if utterances:
        log.warning("no path explains %d utterances, for example %s", len(utterances), ", ".join(utterances[:5]))

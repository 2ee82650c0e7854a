"""Stage hmm_decode: the best phones of one split, with their times: labels of the next step, or the result."""

import logging
import time

from unscribed.artifacts import Pathlike
from unscribed.frames import FrameStore
from unscribed.hmm.model import HmmModel
from unscribed.hmm.tune import TuneSettings
from unscribed.parallel import log_speed
from unscribed.tables import PhoneTable
from unscribed.wfst.graph import Graph
from unscribed.wfst.search import Beam, decode_store, log_failed, read_weights

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
    table = PhoneTable()
    failed = []
    found = decode_store(acoustic, store, Graph.read(graph), chosen, beam, threads, range(len(store)))
    for number, lattice in enumerate(found):
        phones, starts = topology.phones_of(lattice.alignment()) if lattice else ([], [])
        if lattice is None:
            failed.append(store.utterances[number])
        table.append(
            utterance=store.utterances[number],
            phones=[topology.phones[phone - 1] for phone in phones],
            starts_frames=starts,
            frames=int(store.lengths[number]),
        )
    table.write(decoded, store.metadata)
    log_failed(failed)
    log_speed(log, len(store), float(store.offsets[-1]) * store.metadata["hop_ms"] / 1000, started)

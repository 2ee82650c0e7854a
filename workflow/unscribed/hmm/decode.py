"""Stage hmm_decode: phones of one split with their times, labels of the next step or the final result."""

import logging
import time

from unscribed.artifacts import Pathlike
from unscribed.frames import FrameStore
from unscribed.hmm.model import HmmModel
from unscribed.hmm.settled import passed_on
from unscribed.parallel import log_speed
from unscribed.tables import PhoneTable
from unscribed.wfst.graph import Graph
from unscribed.wfst.search import SearchSettings, decode_store, log_failed
from unscribed.wfst.weights import Weights, read_weights

log = logging.getLogger(__name__)


def hmm_decode(
    *,
    features: Pathlike,
    model: Pathlike,
    graph: Pathlike,
    weights: Pathlike,
    search: SearchSettings,
    threads: int,
    decoded: Pathlike,
    settled: float = 0.0,
    before: Pathlike | None = None,
    before_weights: Pathlike | None = None,
) -> None:
    """Decode every utterance; one without a path gets no phones and is counted in the log.

    If self-training has settled at the step before, what that decoded is passed on.
    """
    if passed_on(before_weights, settled, {decoded: before}):
        return
    started = time.monotonic()
    store, acoustic = FrameStore(features), HmmModel.read(model)
    chosen, everything = read_weights(weights, Weights), range(len(store))
    table, failed = PhoneTable(), []
    found = decode_store(acoustic, store, Graph.read(graph), chosen, search, threads, everything)
    for number, lattice in enumerate(found):
        utterance, frames = store.utterances[number], int(store.lengths[number])
        phones, starts = acoustic.topology.phones_of(lattice.alignment()) if lattice else ([], [])
        if lattice is None:
            failed.append(utterance)
        table.append(utterance=utterance, phones=phones, starts_frames=starts, frames=frames)
    table.write(decoded, store.metadata)
    log_failed(failed)
    log_speed(log, len(store), float(store.offsets[-1]) * store.metadata["hop_ms"] / 1000, started)

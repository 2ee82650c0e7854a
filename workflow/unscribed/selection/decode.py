"""Stage decode: decode one split with the chosen candidate, a round of the matching, a GAN run or the teacher."""

import logging
import shutil
from collections.abc import Sequence

from unscribed.acoustic.decode import decode
from unscribed.acoustic.viterbi import DecodeSettings
from unscribed.artifacts import Pathlike, atomic_path, read_json
from unscribed.tables import PhoneTable

log = logging.getLogger(__name__)


def decode_chosen(
    *,
    selection: Pathlike,
    model: Pathlike,
    frames: Pathlike,
    arpa: Pathlike,
    segments: Pathlike | Sequence[str],
    boundaries: Pathlike | Sequence[str],
    taught: Pathlike | Sequence[str],
    settings: DecodeSettings,
    threads: int,
    decoded: Pathlike,
) -> None:
    """Write the decoded phones and their first frames.

    The matching decodes `frames`, the PCA store, by beam search. The GAN decodes `segments`; their `boundaries` are
    empty if the segments are single frames. The teacher's phones are in `taught` already.
    """
    chosen = read_json(selection)
    if chosen["kind"] == "match":
        decode(frames=frames, model=model, arpa=arpa, settings=settings, threads=threads, decoded=decoded)
        return
    if chosen["kind"] == "teacher":
        with atomic_path(decoded) as temporary:
            shutil.copyfile(str(taught), temporary)
        return
    # imported here because the matching does not need torch, which takes two seconds to load
    from unscribed.gan.transcribe import decode_segments, find_run

    table = PhoneTable()
    for found in decode_segments(find_run(model, "label", chosen["candidate"]), segments, boundaries):
        found.append_to(table)
    table.write(decoded)
    log.info("%d utterances by %s", len(table), chosen["candidate"])

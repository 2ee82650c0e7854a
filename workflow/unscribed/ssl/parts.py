"""Join the frames of a split from parts: blocks that one extraction has finished, or shards made by several jobs."""

import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unscribed.artifacts import Pathlike, read_json, write_json
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.tables import ManifestTable

log = logging.getLogger(__name__)

STORE_DTYPE = "float16"  # half the disk space of float32, and all the precision that hidden states have on a GPU
RELEASED_FRAMES = 50_000  # frames read between two releases of mapped memory: more use more memory, fewer take longer


class Parts:
    """The finished blocks of an extraction, one small frame store each, in a folder beside its `result`.

    Blocks with another `fingerprint` are deleted: they come from other settings, audio or weights.
    """

    def __init__(self, result: Path, fingerprint: str) -> None:
        self.result = result
        self.folder = result.with_name(f".{result.name}.parts")
        note = self.folder / "fingerprint.json"
        if self.folder.exists() and (not note.is_file() or read_json(note) != fingerprint):
            log.info("%s belongs to other settings, audio or weights: deleted", self.folder)
            shutil.rmtree(self.folder)
        write_json(note, fingerprint)

    def path(self, number: int) -> Path:
        """Path of the store of a block."""
        return self.folder / f"{number:06}.npy"

    def has(self, number: int) -> bool:
        """Whether a block is finished and readable."""
        try:
            return self.path(number).is_file() and len(FrameStore(self.path(number))) > 0
        except UserError:  # truncated: the machine went down before all of it was on the disk
            return False

    def write(self, number: int, utterances: Sequence[str], frames: Sequence[np.ndarray]) -> None:
        """Store a finished block."""
        with FrameWriter(self.path(number), dtype=STORE_DTYPE) as writer:
            for utterance, values in zip(utterances, frames, strict=True):
                writer.append(utterance, values)

    def join(self, count: int, metadata: Mapping[str, Any]) -> None:
        """Write the result from the blocks 0 to `count` - 1, then delete the blocks."""
        with FrameWriter(self.result, metadata, STORE_DTYPE) as writer:
            for number in range(count):
                store = FrameStore(self.path(number))
                for utterance, frames in store:
                    writer.append(utterance, frames)
                store.release()
        shutil.rmtree(self.folder)


def join_shards(*, manifest: Pathlike, shards: Sequence[str], features: Pathlike) -> None:
    """Write the frame store of a split from those of its shards, in the order of the manifest.

    Raises UserError if the shards lack utterances.
    """
    stores = [FrameStore(path) for path in shards]
    index = {name: (store, number) for store in stores for number, name in enumerate(store.utterances)}
    read = 0
    with FrameWriter(features, stores[0].metadata, STORE_DTYPE) as writer:
        for utterance in ManifestTable.read(manifest)["utterance"]:
            if utterance not in index:
                raise UserError(
                    f"utterance {utterance} is in no shard ({shards[0]} and its neighbours): delete these files and "
                    "run the stage features again."
                )
            store, number = index[utterance]
            writer.append(utterance, store[number])
            read += writer.lengths[-1]
            if read > RELEASED_FRAMES:
                read = 0
                for store in stores:
                    store.release()

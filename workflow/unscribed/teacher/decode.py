"""Stage teacher_decode: the phones of one split by the adapted teacher, for the choice and for self-training.

Dimensions: T frames of the log-mel store, J output frames of the network (half of T), V phones.
"""

import logging

import numpy as np
import torch

from unscribed.acoustic.decode import decode_frames
from unscribed.acoustic.viterbi import DecodeSettings
from unscribed.artifacts import Pathlike
from unscribed.devices import device_of
from unscribed.frames import FrameStore
from unscribed.tables import PhoneTable
from unscribed.teacher.network import STRIDE, Teacher
from unscribed.teacher.spectrum import NATS_PER_DB

log = logging.getLogger(__name__)


class TeacherClassifier:
    """The teacher as a classifier of the frames of a log-mel store: each output counts for STRIDE frames."""

    def __init__(self, teacher: Teacher) -> None:
        self.teacher, self.phones = teacher, teacher.phones
        self.log_prior = teacher.log_prior.cpu().numpy()

    @torch.inference_mode()
    def log_posteriors(self, store: FrameStore, first: int, last: int) -> np.ndarray:
        """Compute log P(phone | frames) of the utterances `first` … `last` - 1, (T, V) float32."""
        found = []
        for number in range(first, last):
            x = NATS_PER_DB * torch.from_numpy(store[number].astype(np.float32))[None].to(self.teacher.device)
            logits, _ = self.teacher.logits(x, torch.tensor([x.shape[1]], device=x.device))
            rows = logits[0].log_softmax(-1).repeat_interleave(STRIDE, dim=0)
            found.append(rows[: x.shape[1]].cpu().numpy())
        return np.concatenate(found)

    def scores(self, log_posteriors: np.ndarray, settings: DecodeSettings) -> np.ndarray:
        """Compute scaled log likelihoods up to a constant, (T, V)."""
        return np.float32(settings.acoustic_scale) * (log_posteriors - settings.prior_weight * self.log_prior)


def teacher_decode(
    *,
    model: Pathlike,
    frames: Pathlike,
    modelled: Pathlike,
    arpa: Pathlike,
    settings: DecodeSettings,
    device: str,
    threads: int,
    decoded: Pathlike,
) -> None:
    """Decode the log-mel store `frames`; write phones and first frames in those of the store `modelled` by HMMs."""
    torch.set_num_threads(threads)
    store = FrameStore(frames)
    teacher = Teacher.read(model, device_of(device, "teacher.device"))
    table = decode_frames(TeacherClassifier(teacher), store, arpa, settings, threads)
    wanted = FrameStore(modelled)
    ratio = store.metadata["hop_ms"] / wanted.metadata["hop_ms"]
    at_hop(table, wanted.lengths, ratio).write(decoded, wanted.metadata)
    log.info("%d utterances decoded, %d phones", len(store), sum(map(len, table.columns["phones"])))


def at_hop(table: PhoneTable, lengths: np.ndarray, ratio: float) -> PhoneTable:
    """Return the phones with frames that are 1 / `ratio` times as long, of utterances of `lengths` such frames.

    A phone that is too short for a frame of its own is left out.
    """
    moved = PhoneTable()
    rows = zip(*(table.columns[name] for name in ("utterance", "phones", "starts_frames")), lengths, strict=True)
    for utterance, phones, starts, frames in rows:
        new = np.minimum(np.round(np.asarray(starts) * ratio).astype(np.int64), frames)
        kept = np.flatnonzero(np.diff(np.append(new, frames)) > 0)
        moved.append(
            utterance=utterance,
            phones=[phones[place] for place in kept],
            starts_frames=new[kept],
            frames=int(frames),
        )
    return moved

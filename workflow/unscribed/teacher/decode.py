"""Stage teacher_decode: the phones of one split by the adapted teacher, for the choice and for self-training.

Dimensions: T frames of the store, J output frames of the network, V phones.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from unscribed.acoustic.decode import decode_frames
from unscribed.acoustic.viterbi import DecodeSettings
from unscribed.artifacts import Pathlike
from unscribed.audio.speakers import speakers_of
from unscribed.devices import device_of
from unscribed.frames import FrameStore
from unscribed.tables import PhoneTable
from unscribed.teacher.network import Teacher
from unscribed.teacher.speakers import speaker_teachers

log = logging.getLogger(__name__)

SCALED_MS = 10.0  # the frame that teacher.acoustic_scale is for; longer ones count in proportion


class TeacherClassifier:
    """The teacher as a classifier of the frames of a store, of which each output counts for as many as it has seen.

    `own` are the teachers of the store's utterances by their number, where it is not `teacher`.
    """

    def __init__(self, teacher: Teacher, own: Mapping[int, Teacher] | None = None) -> None:
        self.teacher, self.phones, self.own = teacher, teacher.phones, own or {}
        self.log_prior = teacher.log_prior.cpu().numpy()

    @torch.inference_mode()
    def log_posteriors(self, store: FrameStore, first: int, last: int) -> np.ndarray:
        """Compute log P(phone | frames) of the utterances `first` … `last` - 1, (T, V) float32."""
        found = []
        for number in range(first, last):
            x = torch.from_numpy(store[number].astype(np.float32))[None].to(self.teacher.device)
            teacher = self.own.get(number, self.teacher)
            logits, _ = teacher.logits(x, torch.tensor([x.shape[1]], device=x.device))
            rows = logits[0].log_softmax(-1).repeat_interleave(teacher.network.stride, dim=0)
            found.append(rows[: x.shape[1]].cpu().numpy())
        return np.concatenate(found)

    def scores(self, log_posteriors: np.ndarray, settings: DecodeSettings) -> np.ndarray:
        """Compute scaled log likelihoods up to a constant, (T, V)."""
        return np.float32(settings.acoustic_scale) * (log_posteriors - settings.prior_weight * self.log_prior)


def teacher_decode(
    *,
    model: Pathlike,
    frames: Pathlike,
    manifest: Pathlike,
    modelled: Pathlike,
    arpa: Pathlike,
    settings: DecodeSettings,
    warps: list[float],
    speaker_level: int,
    device: str,
    threads: int,
    decoded: Pathlike,
) -> None:
    """Decode the store `frames`; write phones and first frames in those of the store `modelled` by HMMs.

    Where the recordings of `manifest` tell speakers, the teacher hears each with statistics and a warp of its own; the
    warps are kept in the metadata.
    """
    torch.set_num_threads(threads)
    store = FrameStore(frames)
    teacher = Teacher.read(model, device_of(device, "teacher.device"))
    speakers = speakers_of(manifest, store.utterances, speaker_level)
    found = speaker_teachers(teacher, store, speakers, warps)
    own = {number: found[name] for number, name in enumerate(speakers) if name in found}
    scale = settings.acoustic_scale * store.metadata["hop_ms"] / SCALED_MS
    settings = replace(settings, acoustic_scale=scale)
    table = decode_frames(TeacherClassifier(teacher, own), store, arpa, settings, threads)
    wanted = FrameStore(modelled)
    ratio = store.metadata["hop_ms"] / wanted.metadata["hop_ms"]
    about = dict(wanted.metadata)
    if found and not teacher.states:
        about["speaker_warps"] = {name: own.warp for name, own in found.items()}
    at_hop(table, wanted.lengths, ratio).write(decoded, about)
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

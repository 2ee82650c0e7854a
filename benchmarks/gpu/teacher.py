"""Train the teacher on the spoken text, and tell how much of natural-en it knows: greedy phones against references.

The references only score. The warp and the floor of the spectra are those of the middle of what is augmented.
"""

import time

import torch
from settings import defaults, settings_of
from step import Step, read_arguments, rounded

from unscribed.audio.features import FeatureSettings, features
from unscribed.devices import device_of
from unscribed.evaluation.per import phone_error_rate
from unscribed.evaluation.scoring import scored_references
from unscribed.frames import FrameStore
from unscribed.teacher.frames import FEATURES
from unscribed.teacher.network import Teacher
from unscribed.teacher.spectrum import NATS_PER_DB
from unscribed.teacher.train import CurveTable, TeacherSettings, teacher
from unscribed.text.silence import SILENCE

TRIAL_UPDATES = 30  # of the first measurement
SHARE = 0.7  # of the time for the training
SEED = 0


def train(step: Step, updates: int, name: str) -> float:
    """Train for `updates`; return the seconds of the training alone."""
    speech = step.work / "speech"
    changes = {"updates": updates, "device": step.device.type, "check_every": max(1, updates // 3)}
    changes |= {"channels": 16, "batch_utterances": 4} if step.rehearse else {}
    teacher(
        frames=speech / "spoken/logmel.npy",
        spoken=speech / "spoken/spoken.parquet",
        vad=speech / "spoken/vad/train.parquet",
        phones=speech / "natural-en/text/phones.txt",
        settings=settings_of(TeacherSettings, defaults()["teacher"], **changes),
        seed=SEED,
        threads=2,
        model=step.work / f"teacher/{name}.safetensors",
        curves=step.work / f"teacher/{name}.parquet",
    )
    return float(CurveTable.read(step.work / f"teacher/{name}.parquet")["seconds"].iloc[-1])


@torch.inference_mode()
def greedy(step: Step, split: str) -> float:
    """Compute the PER of the best phone of every frame, in per cent."""
    folder, frames = step.work / "speech/natural-en", step.work / f"teacher/{split}.npy"
    manifest, vad = folder / f"manifest/{split}.parquet", folder / f"vad/{split}.parquet"
    features(
        manifest=manifest,
        vad=vad,
        settings=FeatureSettings(**FEATURES),
        sample_rate_hz=16000,
        features=frames,
        threads=2,
    )
    loaded = Teacher.read(step.work / "teacher/teacher.safetensors", device_of(step.device.type, "--rehearse"))
    found = {}
    for utterance, one in FrameStore(frames):
        x = NATS_PER_DB * torch.from_numpy(one.copy())[None].to(step.device)
        logits, _ = loaded.logits(x, torch.tensor([x.shape[1]], device=step.device))
        best = torch.unique_consecutive(logits[0].argmax(-1)).tolist()
        found[utterance] = [loaded.phones[phone] for phone in best if loaded.phones[phone] != SILENCE]
    references = scored_references(folder / f"references/{split}.parquet", manifest).phones
    return 100 * phone_error_rate(references, found)


def main() -> None:
    """Train for as many updates as the time allows, at most the usual number, and score."""
    step = read_arguments(__doc__)
    if not (step.work / "speech/spoken/logmel.parquet").exists():
        raise SystemExit("there is no spoken text: the step `speech` has to end first.")
    usual = 40 if step.rehearse else defaults()["teacher"]["updates"]
    first = train(step, TRIAL_UPDATES // (6 if step.rehearse else 1), "trial")
    started = time.monotonic()
    updates = min(usual, max(30, int(TRIAL_UPDATES * SHARE * step.left() / first)))
    seconds = train(step, updates, "teacher")
    curves = CurveTable.read(step.work / "teacher/teacher.parquet").iloc[-1]
    figures = {
        "updates": updates,
        "updates_per_s": rounded(updates / seconds),
        "seconds": rounded(time.monotonic() - started),
        "heldout_accuracy": rounded(float(curves["heldout_accuracy"])),
    }
    step.write(figures)
    step.write(figures | {"greedy_per_valid": rounded(greedy(step, "valid"))})
    (step.work / "bring/teacher.safetensors").write_bytes((step.work / "teacher/teacher.safetensors").read_bytes())


if __name__ == "__main__":
    main()

"""Train the teacher on the spoken text, and tell how much of natural-en it knows: greedy phones against references.

The references only score. The teacher is not adapted to the voice.
"""

import time
from itertools import groupby

from settings import defaults, settings_of
from step import Step, read_arguments, rounded

from unscribed.audio.features import FeatureSettings, features
from unscribed.devices import device_of
from unscribed.evaluation.per import phone_error_rate
from unscribed.evaluation.scoring import scored_references
from unscribed.frames import FrameStore
from unscribed.teacher.decode import TeacherClassifier
from unscribed.teacher.frames import FEATURES
from unscribed.teacher.network import Teacher
from unscribed.teacher.train import CurveTable, TeacherSettings, teacher
from unscribed.text.silence import strip_silence

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


def greedy(step: Step, split: str) -> float:
    """Compute the PER of the best phone of every frame, in per cent."""
    folder, frames = step.work / "speech/natural-en", step.work / f"teacher/{split}.npy"
    manifest, vad = folder / f"manifest/{split}.parquet", folder / f"vad/{split}.parquet"
    seen_as = FeatureSettings(**FEATURES)
    features(manifest=manifest, vad=vad, settings=seen_as, sample_rate_hz=16000, features=frames, threads=2)
    device = device_of(step.device.type, "--rehearse")
    classifier = TeacherClassifier(Teacher.read(step.work / "teacher/teacher.safetensors", device))
    store, found = FrameStore(frames), {}
    for number, utterance in enumerate(store.utterances):
        best = classifier.log_posteriors(store, number, number + 1).argmax(axis=1)
        phones = [classifier.phones[phone] for phone, _ in groupby(best)]
        found[utterance] = strip_silence(phones)
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

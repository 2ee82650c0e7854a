"""Time the stages manifest, vad and features, alone and together, in × real time; print the result as JSON.

    python benchmarks/frontend.py                                       2 h of synthetic utterances
    python benchmarks/frontend.py --hours 0.5 --seconds 3 --threads 4   fewer, shorter ones on 4 threads
    python benchmarks/frontend.py --recordings results/NAME/corpus/recordings.parquet --split train

The settings are the defaults of the configuration. Synthetic utterances are bursts of filtered noise with pauses,
16-bit WAV at 16 kHz, written to a temporary folder. Two utterances run through every stage before the clock
starts, so that loading libraries is not timed.
"""

import argparse
import json
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import soundfile
from scipy.signal import lfilter

from unscribed.artifacts import read_table, write_table
from unscribed.audio.features import FeatureSettings, features
from unscribed.audio.manifest import AudioSettings, manifest
from unscribed.audio.vad import VadSettings, vad

RATE = 16000  # Hz
VOICES = 50  # different synthetic utterances; the rest are copies under other names
SCHEMA = [("utterance", pa.string()), ("split", pa.string()), ("path", pa.string())]


def synthesise(folder: Path, hours: float, seconds: float) -> Path:
    """Write utterances of `seconds` with the rhythm of speech and return the path of their recordings table."""
    rng = np.random.default_rng(0)
    samples = int(seconds * RATE)
    count = max(2, round(hours * 3600 / seconds))
    rows: dict[str, list[str]] = {"utterance": [], "split": [], "path": []}
    voices = []
    for _ in range(min(VOICES, count)):
        noise = lfilter([1], [1, -0.9], rng.normal(size=samples))
        rhythm = np.repeat(rng.choice([0.0, 0.3, 1.0], size=samples // 1600 + 1), 1600)[:samples]
        voices.append(0.05 * noise * rhythm + 1e-4 * rng.normal(size=samples))
    for number in range(count):
        path = folder / f"{number:06}.wav"
        soundfile.write(path, voices[number % len(voices)], RATE, subtype="PCM_16")
        for name, value in (("utterance", path.stem), ("split", "train"), ("path", str(path))):
            rows[name].append(value)
    return _table(folder / "recordings.parquet", rows)


def measure(recordings: Path, split: str, folder: Path, method: str, threads: int) -> dict[str, float]:
    """Time each stage on the recordings of `split`, in seconds; all outputs go to `folder`."""
    listed, rejected, speech = (folder / f"{name}.parquet" for name in ("manifest", "rejected", "vad"))
    audio = AudioSettings(RATE, 0.3, 40.0, 0.02, "skip")
    regions = VadSettings(method, -40.0, 200, 30)
    frames = FeatureSettings("mfcc", 25.0, 10.0, 40, 13, True, "utterance")
    stages: dict[str, Callable[[], None]] = {
        "manifest": lambda: manifest(
            recordings=recordings, split=split, settings=audio, manifest=listed, rejected=rejected, threads=threads
        ),
        "vad": lambda: vad(manifest=listed, settings=regions, sample_rate_hz=RATE, vad=speech, threads=threads),
        "features": lambda: features(
            manifest=listed,
            vad=speech,
            settings=frames,
            sample_rate_hz=RATE,
            features=folder / "features.npy",
            threads=threads,
        ),
    }
    seconds = {}
    for name, stage in stages.items():
        started = time.perf_counter()
        stage()
        seconds[name] = time.perf_counter() - started
    return seconds


def main() -> None:
    """Parse the command line, warm up, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=Path, help="table of recordings; without it audio is synthesised")
    parser.add_argument("--split", default="train", help="of the recordings (default train)")
    parser.add_argument("--hours", type=float, default=2.0, help="hours of synthetic audio (default 2)")
    parser.add_argument("--seconds", type=float, default=3.5, help="length of a synthetic utterance (default 3.5)")
    parser.add_argument("--vad", choices=["energy", "silero", "none"], default="energy", help="method (default energy)")
    parser.add_argument("--threads", type=int, default=2, help="of every stage (default 2)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recordings = arguments.recordings or synthesise(folder, arguments.hours, arguments.seconds)
        table = read_table(recordings)
        table = table[table["split"] == arguments.split]
        few = _table(folder / "few.parquet", {column: list(table[column][:2]) for column, _ in SCHEMA})
        measure(few, arguments.split, folder, arguments.vad, arguments.threads)
        seconds = measure(recordings, arguments.split, folder, arguments.vad, arguments.threads)
        audio = float(read_table(folder / "manifest.parquet")["duration_seconds"].sum())
    seconds["together"] = sum(seconds.values())
    result = {"audio_hours": round(audio / 3600, 3), "threads": arguments.threads}
    for stage, spent in seconds.items():
        result[f"{stage}_seconds"] = round(spent, 2)
        result[f"{stage}_x_real_time"] = round(audio / spent)
    print(json.dumps(result, indent=2))


def _table(path: Path, rows: dict[str, list[str]]) -> Path:
    write_table(path, rows, SCHEMA)
    return path


if __name__ == "__main__":
    main()

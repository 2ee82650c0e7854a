"""Time the features of a checkpoint in × real time: batched by length against one utterance at a time; print JSON.

    python benchmarks/features.py                                        base size on the CPU, half a minute of audio
    python benchmarks/features.py --device cuda --utterances 500 --batch-seconds 600
    python benchmarks/features.py --model config/models/large.yaml --layer 15

The model has the sizes in a file of Wav2Vec2Config's fields and random weights, which take the same time as trained
ones. Utterances are noise of log-normal lengths about 4 s, like read speech. Reading audio files and writing frames
are not timed. Two utterances warm up each way of batching; figures are medians over the repeats.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
import torch
import yaml
from transformers import Wav2Vec2Config, Wav2Vec2Model

from unscribed.devices import device_of, out_of_memory
from unscribed.ssl.checkpoint import Checkpoint
from unscribed.ssl.encode import hidden_states
from unscribed.ssl.extract import batches_by_length
from unscribed.ssl.waveform import normalized, padded

RATE = 16000  # Hz


def synthesise(count: int, seconds: float) -> list[np.ndarray]:
    """Generate normalised noise of `count` log-normal lengths with median `seconds`, from 0.5 to 20 s."""
    rng = np.random.default_rng(0)
    lengths = (RATE * seconds * np.exp(0.5 * rng.normal(size=count))).clip(RATE // 2, 20 * RATE).astype(int)
    return [normalized(rng.normal(size=length).astype(np.float32)) for length in lengths]


def random_checkpoint(sizes: Path, device: torch.device) -> Checkpoint:
    """Make a model of the sizes in a file, with random weights, on `device`."""
    torch.manual_seed(0)
    config = Wav2Vec2Config(**yaml.safe_load(sizes.read_text(encoding="utf-8")))
    return Checkpoint(Wav2Vec2Model(config).eval().to(device), True, RATE, sizes.stem, sizes.parent)


def measure(checkpoint: Checkpoint, waves: list[np.ndarray], layer: int, batch_seconds: float) -> float:
    """Time the frames of `waves`, in seconds, in batches of at most `batch_seconds`; 0: one by one."""
    lengths = np.array([len(wave) for wave in waves])
    batches = list(batches_by_length(np.arange(len(waves)), lengths, batch_seconds * RATE))
    started = time.perf_counter()
    for batch in batches:
        states, _ = hidden_states(checkpoint, *padded([waves[number] for number in batch]), layer)
        states.half().cpu()  # the copy waits until the GPU has finished
    return time.perf_counter() - started


def main() -> None:
    """Parse the command line, warm up, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("config/models/base.yaml"), help="sizes, YAML or JSON")
    parser.add_argument("--layer", type=int, default=8, help="whose output is computed, from 1; 0: input (default 8)")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--utterances", type=int, default=8, help="how many to encode (default 8)")
    parser.add_argument("--seconds", type=float, default=4.0, help="median length of an utterance (default 4)")
    parser.add_argument("--batch-seconds", type=float, default=60.0, help="audio per batch with padding (default 60)")
    parser.add_argument("--repeats", type=int, default=3, help="measurements of each kind (default 3)")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU (default 2)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = device_of(arguments.device, "--device")
    checkpoint = random_checkpoint(arguments.model, device)
    waves = synthesise(arguments.utterances, arguments.seconds)
    audio = sum(map(len, waves)) / RATE
    result = {
        "model": checkpoint.name,
        "parameters": sum(value.numel() for value in checkpoint.model.parameters()),
        "layer": arguments.layer,
        "device": torch.cuda.get_device_name() if arguments.device == "cuda" else f"{arguments.threads} CPU threads",
        "utterances": len(waves),
        "audio_seconds": round(audio, 1),
        "batch_seconds": arguments.batch_seconds,
    }
    kinds = {"one_by_one": 0.0, "batched": arguments.batch_seconds}
    with out_of_memory("--batch-seconds", arguments.batch_seconds):
        for batch_seconds in kinds.values():
            measure(checkpoint, waves[:2], arguments.layer, batch_seconds)
        spent = {
            kind: statistics.median(
                measure(checkpoint, waves, arguments.layer, batch_seconds) for _ in range(arguments.repeats)
            )
            for kind, batch_seconds in kinds.items()
        }
    for kind, seconds in spent.items():
        result[f"{kind}_x_real_time"] = round(audio / seconds, 1)
    result["speedup"] = round(spent["one_by_one"] / spent["batched"], 2)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

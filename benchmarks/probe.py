"""Measure how well a linear layer finds the phones in a frame store: kernel-4 convolution and CTC, with transcripts.

The layer is the GAN's generator (wav2vec-U §3.2), here trained with labels: its PER is a bound for what such a layer
can reach without. Trained on the split train of a finished corpus, stopped by valid, scored on test.

    python benchmarks/probe.py results/natural-en/features results/natural-en/references

Dimensions: B utterances of a batch, T frames, D features, V phones and the blank (0).
"""

import argparse
import json
from pathlib import Path

import kaldialign
import numpy as np
import torch
from torch.nn.functional import conv1d, ctc_loss, log_softmax

from unscribed.artifacts import read_table
from unscribed.frames import FrameStore
from unscribed.text.silence import strip_silence

KERNEL = 4  # frames, as in the generator of wav2vec-U
BATCH_FRAMES = 12_000  # approximate size of a batch; larger means fewer updates per epoch
SPLITS = ("train", "valid", "test")


class Split:
    """Normalised frames and phone ids of the utterances of one split that have a transcript."""

    def __init__(self, store: FrameStore, references: Path, phones: dict[str, int], hours: float) -> None:
        told = read_table(references).set_index("utterance")["phones"]
        self.store, self.numbers, self.targets = store, [], []
        frames_left = hours * 3600_000 / store.metadata["hop_ms"] if hours else np.inf
        for number, utterance in enumerate(store.utterances):
            if utterance not in told.index:
                continue
            reference = strip_silence(list(told[utterance]))
            if frames_left <= 0:
                break
            frames_left -= store.offsets[number + 1] - store.offsets[number]
            self.numbers.append(number)
            self.targets.append([phones.setdefault(phone, len(phones) + 1) for phone in reference])

    def batches(self, generator: np.random.Generator | None) -> list[np.ndarray]:
        """Group utterances of similar length to batches of about BATCH_FRAMES, in random order if `generator` is given.

        Returns positions in `numbers`.
        """
        lengths = np.diff(self.store.offsets)[self.numbers]
        order = np.argsort(lengths, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(np.cumsum(lengths[order]) // BATCH_FRAMES)) + 1)
        return [groups[place] for place in (generator.permutation(len(groups)) if generator else range(len(groups)))]

    def load(self, places: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Load normalised frames (B, D, T), zero after each utterance's end, and their lengths (B,)."""
        rows = [(self.store[self.numbers[place]].astype(np.float32) - mean) / scale for place in places]
        lengths = torch.tensor([len(row) for row in rows])
        batch = torch.zeros(len(rows), rows[0].shape[1], int(lengths.max()))
        for place, row in zip(batch, rows, strict=True):
            place[:, : len(row)] = torch.from_numpy(row.T)
        return batch, lengths


def scores(weights: torch.Tensor, bias: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    """Compute log posteriors (T, B, V) of frames (B, D, T), one per frame."""
    padded = torch.nn.functional.pad(frames, (KERNEL // 2 - 1, KERNEL // 2))
    return log_softmax(conv1d(padded, weights, bias), dim=1).permute(2, 0, 1)


@torch.inference_mode()
def error_rate(split: Split, model: tuple[torch.Tensor, torch.Tensor], norm: tuple[np.ndarray, np.ndarray]) -> float:
    """Compute the PER of greedy decoding, in per cent."""
    errors, total = 0, 0
    for places in split.batches(None):
        frames, lengths = split.load(places, *norm)
        best = scores(*model, frames).argmax(dim=2).T
        for path, length, place in zip(best, lengths, places, strict=True):
            hypothesis = [phone for phone in torch.unique_consecutive(path[:length]).tolist() if phone]
            errors += kaldialign.edit_distance(split.targets[place], hypothesis)["total"]
            total += len(split.targets[place])
    return 100 * errors / total


def probe(features: Path, references: Path, hours: float, epochs: int, rate: float, seed: int) -> dict[str, float]:
    """Train one probe and score it in per cent where its PER of valid is lowest."""
    phones: dict[str, int] = {}
    stores = {split: FrameStore(features / f"{split}.npy") for split in SPLITS}
    splits = {
        split: Split(stores[split], references / f"{split}.parquet", phones, hours if split == "train" else 0.0)
        for split in SPLITS
    }
    train = splits["train"]
    sample = stores["train"].data[:: max(1, len(stores["train"].data) // 100_000)].astype(np.float32)
    norm = sample.mean(axis=0), sample.std(axis=0) + 1e-5
    generator = torch.Generator().manual_seed(seed)
    weights = (torch.randn(len(phones) + 1, sample.shape[1], KERNEL, generator=generator) * 0.01).requires_grad_()
    bias = torch.zeros(len(phones) + 1, requires_grad=True)
    optimizer = torch.optim.Adam([weights, bias], lr=rate)
    steps = epochs * len(train.batches(None))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.0, 1 - step / steps))
    best = (np.inf, np.inf)
    for epoch in range(epochs):
        for places in train.batches(np.random.default_rng([seed, epoch])):
            frames, lengths = train.load(places, *norm)
            targets = [torch.tensor(train.targets[place]) for place in places]
            target_lengths = torch.tensor([len(target) for target in targets])
            found = scores(weights, bias, frames)
            loss = ctc_loss(found, torch.cat(targets), lengths, target_lengths, reduction="sum", zero_infinity=True)
            optimizer.zero_grad()
            (loss / target_lengths.sum()).backward()
            optimizer.step()
            schedule.step()
        if epoch % 5 == 4 or epoch == epochs - 1:
            model = weights.detach(), bias.detach()
            found = error_rate(splits["valid"], model, norm)
            print(f"epoch {epoch + 1}: valid PER {found:.1f} %", flush=True)
            best = min(best, (found, error_rate(splits["test"], model, norm)))
    return {"valid_per": round(best[0], 2), "test_per": round(best[1], 2), "dims": sample.shape[1]}


def main() -> None:
    """Read the command line, probe, print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=Path, help="folder of frame stores of train, valid and test")
    parser.add_argument("references", type=Path, help="folder of the references of train, valid and test")
    parser.add_argument("--hours", type=float, default=0.0, help="of train to use; 0: all (default)")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument(
        "--rate", type=float, default=0.02, help="initial learning rate, which falls to 0 (default 0.02)"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(2)
    print(json.dumps({"features": str(options.features), **probe(**vars(options))}))


if __name__ == "__main__":
    main()

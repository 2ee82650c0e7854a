"""Time the updates of the GAN: against a plain implementation of the published algorithm, and for N runs at once.

    python benchmarks/gan.py                                                the sizes of paper and demo on one thread
    python benchmarks/gan.py --size paper --threads 2 --runs 2 4 8 16
    python benchmarks/gan.py --device cuda --updates 100

The plain implementation is written as one would from the paper: layer by layer, JOIN in a loop over utterances, the
gradient penalty differentiated twice by autograd. It shares only the gathering of batches with the package. Before the
clock starts, both train a small model from the same weights on the same batches, and every loss of every update has to
agree to 1e-4. Each repeat times all variants in turn; ratios are the median (lowest to highest) over repeats.
Dimensions: B batch, S segments, J joined segments, T positions, V phones, D features, C channels, K taps.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from unscribed.gan.batches import RandomStreams, Sequences
from unscribed.gan.discriminator import init_discriminator
from unscribed.gan.generator import Shape, init_generator
from unscribed.gan.layers import mask_of
from unscribed.gan.trainer import GanTrainer, Rates, TrainingData, Turns

Losses = dict[str, Tensor]

DROPOUT, GENERATOR_KERNEL, DISCRIMINATOR_KERNEL = 0.1, 4, 6
PENALTY, SMOOTHNESS, DIVERSITY = 1.5, 0.5, 4.0  # weights of the losses
GENERATOR_RATE, DISCRIMINATOR_RATE = 4e-4, 5e-4
TOLERANCE = 1e-4  # largest relative difference of a loss between the two implementations, in float32
PLAIN, ONE = "1 run, plain", "1 run"


@dataclass(frozen=True)
class Size:
    """Sizes of a batch and of the networks; `length` in segments and in phones of text."""

    batch: int
    dims: int
    phones: int
    channels: int
    length: int


SMALL = Size(6, 10, 9, 12, 24)  # for the comparison of losses
SIZES = {"paper": Size(160, 512, 40, 384, 100), "demo": Size(64, 39, 58, 64, 29)}


class PlainDiscriminator(nn.Module):
    """Causal convolutions, GELU between the last two, and the mean over the sequence."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.embed = nn.Conv1d(size.phones, size.channels, DISCRIMINATOR_KERNEL)
        self.hidden = nn.Conv1d(size.channels, size.channels, DISCRIMINATOR_KERNEL)
        self.out = nn.Conv1d(size.channels, 1, DISCRIMINATOR_KERNEL)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """The logits (B,) of x (B, T, V): high means fake."""
        past = (DISCRIMINATOR_KERNEL - 1, 0)
        x = self.embed(functional.pad(x.transpose(1, 2), past))
        x = functional.gelu(self.hidden(functional.pad(x, past)))
        scores = self.out(functional.pad(x, past)).squeeze(1)
        return (scores * mask_of(lengths, scores.shape[1])).sum(1) / lengths


class Plain:
    """One run of the published algorithm (wav2vec-U, section 3.2), from the weights of the package's only run."""

    def __init__(self, package: GanTrainer, size: Size, dropout: float = DROPOUT) -> None:
        self.data, self.size, self.dropout = package.data, size, dropout
        self.generator = nn.Conv1d(size.dims, size.phones, GENERATOR_KERNEL, bias=False)
        self.discriminator = PlainDiscriminator(size)
        layers = {"conv": self.generator, **dict(self.discriminator.named_children())}
        for name, (weight, *_) in {**package.generator, **package.discriminator}.items():
            layer = layers[name.removesuffix("_bias")]
            if name.endswith("_bias"):
                layer.bias.data = weight.reshape(-1).clone()
            else:
                layer.weight.data = weight.view(*weight.shape[:2], -1).permute(2, 1, 0).contiguous()
        adam = partial(torch.optim.AdamW, betas=(0.5, 0.98), eps=1e-6)  # fairseq's decays weights as AdamW does
        self.generator_adam = adam(self.generator.parameters(), lr=GENERATOR_RATE, weight_decay=0.0)
        self.discriminator_adam = adam(self.discriminator.parameters(), lr=DISCRIMINATOR_RATE, weight_decay=1e-4)

    def update(self, number: int) -> Losses:
        """Draw a batch and train the discriminator (even numbers) or the generator; the losses by name."""
        streams = RandomStreams([0], number, self.data.audio.data.device)
        features, lengths = self.data.audio.batch(self.data.audio.draw(streams, self.size.batch)[0])
        uniform = torch.rand(features.shape[:2])  # JOIN reads it on the CPU
        if number % 2:
            return self.generator_turn(features, lengths, uniform)
        tokens, token_lengths = self.data.text.batch(self.data.text.draw(streams, self.size.batch)[0])
        mix = torch.rand(len(lengths), device=lengths.device)
        return self.discriminator_turn(features, lengths, uniform, tokens, token_lengths, mix)

    def discriminator_turn(
        self, features: Tensor, lengths: Tensor, uniform: Tensor, tokens: Tensor, real_lengths: Tensor, mix: Tensor
    ) -> Losses:
        """Train on audio (B, S, D) and tokens (B, T), with random numbers for JOIN (B, S) and mixing both (B,)."""
        with torch.no_grad():
            fake, fake_lengths, _ = self._generate(features, lengths, uniform)
        real = functional.one_hot(tokens, self.size.phones) * mask_of(real_lengths, tokens.shape[1])[..., None].float()
        shorter = torch.minimum(real_lengths, fake_lengths)
        width, share = int(shorter.max()), mix[:, None, None]
        between = (share * real[:, :width] + (1 - share) * fake[:, :width]).requires_grad_()
        (slope,) = torch.autograd.grad(self.discriminator(between, shorter).sum(), between, create_graph=True)
        losses = {
            "discriminator_fake": cross_entropy(self.discriminator(fake, fake_lengths), torch.ones_like(mix)),
            "discriminator_real": cross_entropy(self.discriminator(real, real_lengths), torch.zeros_like(mix)),
            "gradient_penalty": (slope.norm(2, dim=1) - 1).square().sum(-1).mean(),  # norm over time, as published
        }
        total = losses["discriminator_fake"] + losses["discriminator_real"] + PENALTY * losses["gradient_penalty"]
        return _step(total, losses, self.discriminator, self.discriminator_adam)

    def generator_turn(self, features: Tensor, lengths: Tensor, uniform: Tensor) -> Losses:
        """Train on audio (B, S, D) with random numbers for JOIN (B, S)."""
        fake, lengths, logits = self._generate(features, lengths, uniform)
        pairs = mask_of(lengths - 1, logits.shape[1] - 1)
        difference = functional.mse_loss(logits[:, 1:], logits[:, :-1], reduction="none").mean(-1)
        average = fake.sum((0, 1)) / lengths.sum()
        perplexity = torch.exp(-(average * average.clamp_min(1e-12).log()).sum())
        losses = {
            "generator": cross_entropy(self.discriminator(fake, lengths), fake.new_zeros(len(fake))),
            "smoothness": (difference * pairs).sum() / pairs.sum(),
            "diversity": (self.size.phones - perplexity) / self.size.phones,
        }
        total = losses["generator"] + SMOOTHNESS * losses["smoothness"] + DIVERSITY * losses["diversity"]
        return _step(total, losses, self.generator, self.generator_adam)

    def _generate(self, features: Tensor, lengths: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Probabilities (B, J, V) after JOIN, zero where padded, their lengths (B,), and the logits."""
        x = functional.dropout(features, self.dropout).transpose(1, 2)
        x = functional.pad(x, ((GENERATOR_KERNEL - 1) // 2, GENERATOR_KERNEL // 2))
        logits = self.generator(x).transpose(1, 2)
        best, uniform, picks = logits.argmax(-1).cpu(), uniform.cpu(), []
        for row, length in enumerate(lengths.tolist()):
            _, counts = torch.unique_consecutive(best[row, :length], return_counts=True)
            first = counts.cumsum(0) - counts
            picks.append(first + (uniform[row, first] * counts).long())
        joined = torch.tensor([len(pick) for pick in picks], device=logits.device)
        places = nn.utils.rnn.pad_sequence(picks, batch_first=True).to(logits.device)
        logits = logits.gather(1, places[..., None].expand(-1, -1, logits.shape[2]))
        return logits.softmax(-1) * mask_of(joined, places.shape[1])[..., None], joined, logits


def _step(total: Tensor, losses: Losses, module: nn.Module, adam: torch.optim.Optimizer) -> Losses:
    weights = list(module.parameters())
    adam.zero_grad()
    total.backward(inputs=weights)  # no gradients for the other network's weights
    nn.utils.clip_grad_norm_(weights, 5.0)
    adam.step()
    return {name: loss.detach() for name, loss in losses.items()}


def trainer(size: Size, runs: int, device: torch.device, equal: bool) -> GanTrainer:
    """Build the package's trainer on random sequences.

    With `equal`, all have the same length and JOIN rarely joins segments; else lengths differ and each segment is
    repeated four times.
    """
    rng = np.random.default_rng(0)
    lengths = rng.integers(size.length if equal else size.length // 2, size.length + 1, size=(2, 2 * size.batch))
    audio, text = (np.concatenate([[0], np.cumsum(one)]) for one in lengths)
    segments = rng.standard_normal((audio[-1], size.dims), dtype=np.float32)
    segments = segments if equal else np.repeat(segments, 4, axis=0)[: len(segments)]
    tokens = rng.integers(size.phones, size=text[-1])
    data = TrainingData(Sequences(segments, audio, device), Sequences(tokens, text, device), None)
    shape = Shape(size.dims, size.phones, GENERATOR_KERNEL, 1, False, 0)
    generators = [torch.Generator().manual_seed(seed) for seed in range(runs)]
    state = {
        "generator": init_generator(shape, 0.0, generators),
        "discriminator": init_discriminator(size.phones, size.channels, DISCRIMINATOR_KERNEL, generators),
        "statistics": {},
    }
    state = {part: {name: one.to(device) for name, one in each.items()} for part, each in state.items()}
    weights = {"gradient_penalty": PENALTY, "smoothness": SMOOTHNESS, "diversity": DIVERSITY}
    penalties = {name: torch.full((runs,), weight, device=device) for name, weight in weights.items()}
    rates = Rates(*(torch.full((runs,), rate, device=device) for rate in (GENERATOR_RATE, DISCRIMINATOR_RATE)))
    return GanTrainer(data, shape, state, penalties, rates, list(range(runs)), Turns(size.batch, DROPOUT, 0, 0.0))


def compare(size: Size, device: torch.device, updates: int = 6) -> dict[str, tuple[float, float]]:
    """Train both implementations alike; return the losses (package, plain) by `name.update`."""
    ours, found = trainer(size, 1, device, equal=False), {}
    plain, data = Plain(ours, size, dropout=0.0), ours.data
    for number in range(updates):
        streams = RandomStreams([0], number, device)  # repeats the package's random draws in the same order
        features, lengths = data.audio.batch(data.audio.draw(streams, size.batch))
        batch = [features * streams.dropout(lengths, size.dims, DROPOUT), lengths, streams.uniform_padded(lengths)]
        turn = plain.generator_turn if number % 2 else plain.discriminator_turn
        if number % 2 == 0:
            batch += [*data.text.batch(data.text.draw(streams, size.batch)), streams.uniform(size.batch)]
        losses, got = turn(*(one[0] for one in batch)), ours.update(number)
        found |= {f"{name}.{number}": (float(got[name]), float(loss)) for name, loss in losses.items()}
    return found


def measure(size: Size, runs: list[int], count: int, repeats: int, device: torch.device) -> dict[str, list[float]]:
    """Measure updates per second of all runs together: one figure per variant and repeat of `count` updates."""
    one = trainer(size, 1, device, equal=True)
    updates = {PLAIN: (1, Plain(one, size).update), ONE: (1, one.update)}
    updates |= {f"{some} runs": (some, trainer(size, some, device, equal=True).update) for some in runs if some > 1}
    found: dict[str, list[float]] = {name: [] for name in updates}
    for repeat in range(-1, repeats):  # repeat -1 is the warm-up
        for name, (some, update) in updates.items():
            started = time.perf_counter()
            for number in range(count if repeat >= 0 else 2):
                update(number)
            if device.type == "cuda":
                torch.cuda.synchronize()
            found[name] += [some * count / (time.perf_counter() - started)] if repeat >= 0 else []
    return found


def main() -> None:
    """Parse the command line, compare losses, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU (default 1)")
    parser.add_argument("--size", choices=list(SIZES), nargs="+", default=list(SIZES), help="default: both")
    parser.add_argument("--runs", type=int, nargs="*", default=[2, 4, 8, 16], help="numbers of runs at once, besides 1")
    parser.add_argument("--updates", type=int, default=10, help="per measurement, an even number (default 10)")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each variant (default 5)")
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        sys.exit("benchmarks/gan.py: torch finds no CUDA device; use --device cpu, or install a torch with CUDA.")
    if arguments.updates < 2 or arguments.updates % 2 or arguments.repeats < 1:
        parser.error("--updates must be even and at least 2, --repeats at least 1")
    torch.set_num_threads(arguments.threads)
    torch.backends.cudnn.allow_tf32 = False  # the same arithmetic for both
    device = torch.device(arguments.device)
    worst = max(abs(ours / plain - 1) for ours, plain in compare(SMALL, device).values())
    if worst > TOLERANCE:
        sys.exit(
            f"benchmarks/gan.py: the losses differ by {worst:.1e}: speeds of different algorithms are not comparable."
        )
    print(f"{device}, {arguments.threads} threads, torch {torch.__version__}; all losses agree to {worst:.0e}\n")
    print("| size | trained at once | updates/s, all runs | × plain | × 1 run |\n|" + " --- |" * 5)
    for name in arguments.size:
        found = measure(SIZES[name], arguments.runs, arguments.updates, arguments.repeats, device)
        for label, speeds in found.items():
            ratios = [np.array(speeds) / found[base] for base in (PLAIN, ONE)]
            cells = [f"{np.median(ratio):.2f} ({ratio.min():.2f} to {ratio.max():.2f})" for ratio in ratios]
            print(f"| {name} | {label} | {np.median(speeds):.3g} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

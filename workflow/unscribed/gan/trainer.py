"""Updates of N runs, in turns of the discriminator and the generator (wav2vec-U, section 3.2).

Dimensions: N runs, B batch, S segments, J joined positions, D features, V phones.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from unscribed.gan.batches import RandomStreams, Sequences
from unscribed.gan.discriminator import Discriminator
from unscribed.gan.generator import Generated, Shape, generate
from unscribed.gan.join import sample
from unscribed.gan.layers import mask_of
from unscribed.gan.losses import COMPUTED, DiscriminatorTurn, GeneratorTurn, adversarial
from unscribed.gan.optimizer import Adam
from unscribed.gan.penalties import Side, penalties_of

Tensor = torch.Tensor
Weights = dict[str, Tensor]
State = dict[str, Weights]
Losses = dict[str, Tensor]

DISCRIMINATOR_DECAY = 1e-4  # weight decay; the generator has none (fairseq's configuration w2vu.yaml)


@dataclass(frozen=True)
class Rates:
    """Learning rates of the two networks, one number per run: (N,) each."""

    generator: Tensor
    discriminator: Tensor


@dataclass(frozen=True)
class TrainingData:
    """Training data of all runs: audio (segments or frames), text, and pseudo-labels of the audio's frames, if any."""

    audio: Sequences
    text: Sequences
    targets: Sequences | None


@dataclass(frozen=True)
class Turns:
    """Settings of an update that all runs share.

    `discriminator_first` updates train the discriminator alone; `dropout` is that of the generator's input, `average`
    the decay of the moving average of its weights, per turn of the generator.
    """

    batch_size: int
    dropout: float
    discriminator_first: int
    average: float


class GanTrainer:
    """N runs in training, each with its own weights `generator`, `statistics`, `discriminator`, seed and penalties.

    `penalties` has the weights (N,) of those among PENALTIES that take part; the others are not computed.
    `averaged` is the moving average of the generator's weights: adversarial training tends to circle around a solution,
    which the average comes closer to (Yazıcı et al. 2019, "The unusual effectiveness of averaging in GAN training").
    """

    def __init__(
        self,
        data: TrainingData,
        shape: Shape,
        state: State,
        penalties: Mapping[str, Tensor],
        rates: Rates,
        seeds: list[int],
        turns: Turns,
    ) -> None:
        self.data, self.shape, self.turns = data, shape, turns
        self.penalties, self.rates, self.seeds = penalties, rates, seeds
        self.generator, self.discriminator = state["generator"], state["discriminator"]
        self.statistics = state["statistics"]
        self.averaged = {name: weight.clone() for name, weight in self.generator.items()}
        self.generator_optimizer = Adam(self.generator, 0.0)
        self.discriminator_optimizer = Adam(self.discriminator, DISCRIMINATOR_DECAY)
        self.device = data.audio.data.device

    def state(self) -> State:
        """Return all tensors by group, those of the optimizers included: all that resuming needs but the update."""
        return {
            "generator": self.generator,
            "averaged": self.averaged,
            "statistics": self.statistics,
            "discriminator": self.discriminator,
            **{f"generator_{name}": part for name, part in self.generator_optimizer.moments().items()},
            **{f"discriminator_{name}": part for name, part in self.discriminator_optimizer.moments().items()},
        }

    def load(self, state: State) -> None:
        """Restore tensors that `state` returned."""
        for name, group in self.state().items():
            for key, value in group.items():
                value.copy_(state[name][key])

    def keep(self, runs: list[int]) -> None:
        """Keep these runs, by their index, and drop the others."""
        for group in self.state().values():
            for key, value in group.items():
                group[key] = value[runs].clone()
        self.seeds = [self.seeds[run] for run in runs]
        self.penalties = {name: weights[runs] for name, weights in self.penalties.items()}
        self.rates = Rates(self.rates.generator[runs], self.rates.discriminator[runs])

    def update(self, number: int) -> Losses:
        """Train one of the networks in update `number` (from 0); return the unweighted losses by name, (N,) each."""
        streams = RandomStreams(self.seeds, number, self.device)
        numbers = self.data.audio.draw(streams, self.turns.batch_size)
        features, lengths = self.data.audio.batch(numbers)
        later = number - self.turns.discriminator_first
        if later >= 0 and later % 2:
            return self._generator_turn(streams, numbers, features.float(), lengths)
        return self._discriminator_turn(streams, features.float(), lengths)

    def _discriminator_turn(self, streams: RandomStreams, features: Tensor, lengths: Tensor) -> Losses:
        with torch.no_grad():
            fake, fake_lengths, _ = self._fake(self._generate(streams, features, lengths), streams)
            real, real_lengths = self.data.text.batch(self.data.text.draw(streams, self.turns.batch_size))
        trained = list(self.discriminator.values())
        for weight in trained:
            weight.requires_grad_()
        model = Discriminator(self.discriminator)
        real_hidden, fake_hidden = model.preactivate_text(real, real_lengths), model.preactivate(fake)
        shorter = torch.minimum(real_lengths, fake_lengths)
        width = int(shorter.max())
        mix = streams.uniform(self.turns.batch_size)
        losses = {
            "discriminator_fake": adversarial(model.score(fake_hidden, fake_lengths), fake=True),
            "discriminator_real": adversarial(model.score(real_hidden, real_lengths), fake=False),
        }
        turn = DiscriminatorTurn(model, real_hidden[:, :, :width], fake_hidden[:, :, :width], shorter, mix)
        found, total = self._penalized("discriminator", losses, turn)
        gradients = torch.autograd.grad(total.sum(), trained)
        for weight in trained:
            weight.requires_grad_(False)
        found["discriminator_norm"] = self.discriminator_optimizer.step(gradients, self.rates.discriminator)
        return {name: value.detach() for name, value in found.items()}

    def _generator_turn(self, streams: RandomStreams, numbers: Tensor, features: Tensor, lengths: Tensor) -> Losses:
        trained = list(self.generator.values())
        for weight in trained:
            weight.requires_grad_()
        generated = self._generate(streams, features, lengths)
        fake, fake_lengths, joined = self._fake(generated, streams)
        model = Discriminator(self.discriminator)
        losses = {"generator": adversarial(model.score(model.preactivate(fake), fake_lengths), fake=False)}
        targets = None if self.data.targets is None else self.data.targets.batch(numbers)[0]
        turn = GeneratorTurn(joined, fake, fake_lengths, lengths, generated.target_logits, targets)
        found, total = self._penalized("generator", losses, turn)
        gradients = torch.autograd.grad(total.sum(), trained)
        for weight in trained:
            weight.requires_grad_(False)
        found["generator_norm"] = self.generator_optimizer.step(gradients, self.rates.generator)
        for name, weight in self.generator.items():
            self.averaged[name].lerp_(weight, 1 - self.turns.average)
        return {name: value.detach() for name, value in found.items()}

    def _penalized(self, side: Side, losses: Losses, turn: DiscriminatorTurn | GeneratorTurn) -> tuple[Losses, Tensor]:
        """Add a side's penalties to its adversarial losses: all by name, and their weighted sum, (N,) each."""
        penalties = {name: COMPUTED[name](turn) for name in penalties_of(side) if name in self.penalties}
        total = sum(losses.values())
        for name, penalty in penalties.items():
            total = total + self.penalties[name] * penalty
        return losses | penalties, total

    def _generate(self, streams: RandomStreams, features: Tensor, lengths: Tensor) -> Generated:
        count = 2 if self.shape.residual else 1
        masks = tuple(streams.dropout(lengths, self.shape.dims, self.turns.dropout) for _ in range(count))
        return generate(self.generator, self.statistics, self.shape.stride, features, lengths, masks)

    def _fake(self, generated: Generated, streams: RandomStreams) -> tuple[Tensor, Tensor, Tensor]:
        """Join and sample the generator's output: probabilities (N, B, J, V), zero where padded, lengths, logits."""
        joined, lengths = sample(generated.logits, generated.lengths, streams.uniform_padded(generated.lengths))
        inside = mask_of(lengths, joined.shape[2])[..., None]
        return joined.softmax(-1) * inside, lengths, joined

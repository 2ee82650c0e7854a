"""Trains a CTC model: updates, checks on the split valid, the best weights, and a state to resume from.

Everything random in an update comes from (seed, number of the update): a training that was killed and resumed ends with
the same weights as one that was not.
"""

import hashlib
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import kaldialign
import numpy as np
import torch
from tqdm import trange
from transformers import PreTrainedModel

from unscribed.ctc.finetune_data import Examples, epochs, pack
from unscribed.ctc.model import FinetuneSettings, collapsed, ctc_loss, draw_masks, encoder, logits
from unscribed.errors import UserError
from unscribed.training_state import adam_tensors, fingerprint, load_state, restore_adam, save_state

log = logging.getLogger(__name__)

BETAS, EPSILON = (0.9, 0.98), 1e-8  # of Adam, as in fairseq's fine-tuning configurations
MAX_GRADIENT_NORM = 5.0  # longer gradients are shortened to it
WARM_UP, HOLD = 0.1, 0.4  # shares of the updates; in the others the learning rate decays (wav2vec 2.0 §4.2)
FIRST_RATE, LAST_RATE = 0.01, 0.05  # learning rates of the first and the last update, as shares of the peak
PROGRESS = ("done", "seconds", "rows", "best_score", "scaler")  # attributes that a state keeps beside the weights
# What may be changed before resuming: the remedies for a diverged loss and a full memory, and where and how often.
CAN_CHANGE = ("learning_rate", "precision", "device", "batch_seconds", "accumulation", "check_every")


def rate_at(update: int, updates: int) -> float:
    """The learning rate as a share of its peak: linear warm-up, hold, exponential decay (three stages)."""
    place = update / updates
    if place < WARM_UP:
        return FIRST_RATE + (1 - FIRST_RATE) * place / WARM_UP
    if place < WARM_UP + HOLD:
        return 1.0
    return LAST_RATE ** ((place - WARM_UP - HOLD) / (1 - WARM_UP - HOLD))


class FinetuneTrainer:
    """Trains one model and can resume: `done` updates, `rows` of the curves, `best` weights and their `best_score`.

    `about` lists whatever else must be equal for a state to be resumed.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        train: Examples,
        valid: Examples,
        settings: FinetuneSettings,
        seed: int,
        about: Sequence[Any],
    ) -> None:
        self.model, self.train_audio, self.valid_audio = model, train, valid
        self.settings, self.seed, self.about = settings, seed, list(about)
        self.weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self.optimizer = torch.optim.Adam(self.weights.values(), betas=BETAS, eps=EPSILON)
        self.scaling = torch.amp.GradScaler(settings.device, enabled=settings.precision == "float16")
        self.origin = _digest([*encoder(model).feature_projection.parameters(), *model.lm_head.parameters()])
        self.done, self.seconds = 0, 0.0
        self.rows: list[dict[str, Any]] = []
        self.best: dict[str, torch.Tensor] = {}
        self.best_score: list[float] = []

    def run(self, state: Path) -> None:
        """Train until the end, checking and saving every `check_every` updates; then load the best weights.

        Raises UserError for a loss that is not finite.
        """
        settings = self.settings
        started, before = time.monotonic(), self.seconds
        room = settings.batch_seconds / self.train_audio.seconds
        batches = epochs(self.train_audio.frames, room, self.seed)
        batches = islice(batches, self.done * settings.accumulation, None)
        losses, norms = [], []
        for number in trange(self.done, settings.updates, initial=self.done, disable=None, unit="update"):
            loss, norm = self._update(number, list(islice(batches, settings.accumulation)), state)
            losses.append(loss)
            norms.append(norm)
            self.done = number + 1
            if self.done % settings.check_every == 0 or self.done == settings.updates:
                self.seconds = before + time.monotonic() - started
                self._check(float(np.mean(losses)), float(np.mean(norms)))
                self._save(state)
                losses, norms = [], []
        with torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(self.best[name])

    def _update(self, number: int, picked: list[np.ndarray], state: Path) -> tuple[float, float]:
        """One step of Adam on some batches; the loss (nat per symbol) and the length of its gradient."""
        generator = np.random.default_rng((self.seed, number))
        torch.manual_seed(int(generator.integers(2**62)))  # for dropout and layer drop
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * rate_at(number, self.settings.updates)
        symbols = sum(len(self.train_audio.targets[index]) for batch in picked for index in batch)
        total = 0.0
        for batch in picked:
            masks = draw_masks(self.train_audio.frames[batch], self.model, generator)
            audio = self.train_audio.batch(batch).to(self.model.device)
            with self.settings.autocast():
                frozen = number < self.settings.freeze_updates
                scores = logits(self.model, audio.features, audio.frames, masks, frozen)
            loss = ctc_loss(scores, audio) / symbols
            self.scaling.scale(loss).backward()
            total += float(loss.detach())
        self.scaling.unscale_(self.optimizer)
        norm = float(torch.nn.utils.clip_grad_norm_(self.weights.values(), MAX_GRADIENT_NORM))
        # with float16, the scaler skips gradients that overflow and lowers the scale
        if not math.isfinite(total) or not (math.isfinite(norm) or self.scaling.is_enabled()):
            self._diverged(number, total, norm, state)
        self.scaling.step(self.optimizer)
        self.scaling.update()
        self.optimizer.zero_grad(set_to_none=True)
        return total, norm

    def _diverged(self, number: int, loss: float, norm: float, state: Path) -> NoReturn:
        where = f"its last good state is in {state}" if state.exists() else "there is no earlier state"
        raise UserError(
            f"the loss of the fine-tuning is {loss} at update {number + 1}, its gradient {norm}; {where}. Lower "
            f"finetune.learning_rate, which is {self.settings.learning_rate:g} (or set finetune.precision: float32), "
            "and start again: it resumes from there."
        )

    @torch.no_grad()
    def validate(self) -> tuple[float, float]:
        """Loss (nat per symbol) and unit error rate of the best paths on the split valid, without masks."""
        self.model.eval()
        audio = self.valid_audio
        loss, errors, symbols = 0.0, 0, 0
        order = np.argsort(audio.frames, kind="stable")
        for picked in pack(order, audio.frames, self.settings.batch_seconds / audio.seconds):
            batch = audio.batch(picked).to(self.model.device)
            with self.settings.autocast():
                scores = logits(self.model, batch.features, batch.frames)
            loss += float(ctc_loss(scores, batch))
            for index, path in zip(picked, scores.argmax(dim=-1).cpu().numpy(), strict=True):
                found, target = collapsed(path[: audio.frames[index]]), audio.targets[index]
                errors += kaldialign.edit_distance(target.tolist(), found.tolist())["total"]
                symbols += len(target)
        return loss / symbols, errors / symbols

    def _check(self, loss: float, norm: float) -> None:
        """Add a row to the curves and a line to the log; keep the weights if they are the best so far."""
        valid_loss, uer = self.validate()
        score = [uer, valid_loss]
        better = not self.best_score or score < self.best_score
        if better:
            self.best_score = score
            self.best = {name: weight.detach().cpu().clone() for name, weight in self.weights.items()}
        rate = self.settings.learning_rate * rate_at(self.done - 1, self.settings.updates)
        row = {"update": self.done, "seconds": self.seconds, "learning_rate": rate, "loss": loss, "gradient_norm": norm}
        self.rows.append({**row, "valid_loss": valid_loss, "uer": uer, "best": better})
        log.info(
            "update %d, %.0f s: loss %.3f, valid %.3f, unit error rate %.1f %%%s",
            *(self.done, self.seconds, loss, valid_loss, 100 * uer, ", the best so far" if better else ""),
        )

    def _fingerprint(self) -> str:
        """Identify what must be the same for a state to be resumed."""
        kept = {name: value for name, value in asdict(self.settings).items() if name not in CAN_CHANGE}
        audio = [
            [part.names, hashlib.sha256(np.concatenate(part.targets).tobytes()).hexdigest()]
            for part in (self.train_audio, self.valid_audio)
        ]
        return fingerprint(kept, self.seed, self.about, self.origin, audio)

    @property
    def scaler(self) -> dict[str, Any]:
        """State of the gradient scaler; empty unless the precision is float16."""
        return self.scaling.state_dict()

    @scaler.setter
    def scaler(self, found: dict[str, Any]) -> None:
        if found and self.scaling.is_enabled():
            self.scaling.load_state_dict(found)

    def _save(self, path: Path) -> None:
        tensors = {f"best.{name}": value for name, value in self.best.items()}
        tensors |= {f"model.{name}": weight for name, weight in self.weights.items()}
        tensors |= adam_tensors(self.optimizer, self.weights)
        save_state(path, tensors, self._fingerprint(), {name: getattr(self, name) for name in PROGRESS})

    def resume(self, path: Path) -> bool:
        """Load the state that a killed job with the same settings left at `path`; False if there is none."""
        found = load_state(path, self._fingerprint())
        if found is None:
            return False
        tensors, progress = found
        with torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(tensors[f"model.{name}"])
        restore_adam(self.optimizer, self.weights, tensors)
        self.best = {name: tensors[f"best.{name}"] for name in self.weights}
        for name, value in progress.items():
            setattr(self, name, value)
        log.info("resumed after update %d", self.done)
        return True


def _digest(weights: Sequence[torch.Tensor]) -> str:
    """A hash of the weights that a training starts from."""
    found = hashlib.sha256()
    for weight in weights:
        found.update(weight.detach().cpu().numpy().tobytes())
    return found.hexdigest()

"""Pretrain a model: updates, checks on the split valid, curves, and a state to resume from.

Everything random in a batch, from its crops to its Gumbel noise, comes from (seed, number of the batch): a training
that was killed and resumed has the same losses as one that was not.
Dimensions: B utterances of a batch, N samples, T frames, G codebooks (1 for clusters), V codes or clusters.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator

from unscribed.errors import UserError
from unscribed.parallel import ordered_map
from unscribed.ssl.clusters import ClusterModel
from unscribed.ssl.contrastive import ContrastiveModel, perplexities
from unscribed.ssl.masking import span_masks
from unscribed.ssl.pretrain_settings import PretrainSettings
from unscribed.ssl.sampling import Batch, Languages, Stream
from unscribed.ssl.waveform import frames_of
from unscribed.training_state import adam_tensors, fingerprint, load_state, restore_adam, save_state

log = logging.getLogger(__name__)

BETAS, EPSILON = (0.9, 0.98), 1e-6  # of Adam, as in fairseq's wav2vec2 configurations
MAX_GRADIENT_NORM = 10.0  # longer gradients are scaled down to it: bounds the harm of one unusual batch
CHECKED_BATCHES = 20  # of valid, per check: more take longer, fewer give noisier curves
LEAST_SHARE = 0.03  # of the codes (0 to 1): a codebook whose perplexity is below 1 + this share of V may have collapsed
PATIENCE = 3  # checks in a row with such a codebook until it is reported; a young training may recover from one
PROGRESS = ("done", "seconds", "heard_seconds", "rows", "strikes")  # attributes that a state keeps beside the weights
# What may be changed before resuming: the remedies for a diverged loss and a full memory, and where and how often.
CAN_CHANGE = ("learning_rate", "precision", "device", "processes", "batch_seconds", "accumulation", "check_every")


class PretrainTrainer:
    """Trains one model and can resume.

    Attributes: updates `done`; `rows` of the curves; `heard_seconds`, the audio trained on so far, repeats included;
    `strikes`, the last checks in a row with a collapsed codebook; `plain`, the model without accelerate's wrapper.
    `loaders` threads make batches ahead; `origin` tells the model and its targets from others.
    """

    def __init__(
        self,
        model: ContrastiveModel | ClusterModel,
        train: Languages,
        valid: Languages,
        settings: PretrainSettings,
        accelerator: Accelerator,
        loaders: int,
        origin: str,
    ) -> None:
        self.settings, self.accelerator, self.loaders = settings, accelerator, loaders
        self.train_audio, self.valid_audio = train, valid
        self.conv = (model.model.config.conv_kernel, model.model.config.conv_stride)
        self.origin = origin
        decayed = [weight for weight in model.parameters() if weight.ndim > 1]
        others = [weight for weight in model.parameters() if weight.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=BETAS, eps=EPSILON)
        self.model, self.optimizer = accelerator.prepare(model, optimizer)
        self.plain: ContrastiveModel | ClusterModel = accelerator.unwrap_model(self.model)
        self.done, self.seconds, self.heard_seconds = 0, 0.0, 0.0
        self.rows: list[dict[str, Any]] = []
        self.strikes = 0

    def run(self, state: Path) -> None:
        """Train to the last update; check and save every `check_every`. Raises UserError if a loss is not finite."""
        settings = self.settings
        started, before = time.monotonic(), self.seconds
        sums: dict[str, float] = dict.fromkeys(self.plain.measures, 0.0)
        since, norm = 0, 0.0
        batches = self._prepared()
        for update in range(self.done, settings.updates):
            self._set_rate(update)
            for last in [False] * (settings.accumulation - 1) + [True]:
                losses = self._step(next(batches), update, last, state)
                sums = {name: sums[name] + losses[name] for name in sums}
                since += 1
            norm = float(self.accelerator.clip_grad_norm_(self.model.parameters(), MAX_GRADIENT_NORM))
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.done = update + 1
            if self.done % settings.check_every == 0 or self.done == settings.updates:
                self.seconds = before + time.monotonic() - started
                means = {name: value / since for name, value in sums.items()}
                self._check(means | {"gradient_norm": norm}, update)
                self._save(state)
                sums, since = dict.fromkeys(sums, 0.0), 0

    def learning_rate(self, update: int) -> float:
        """The learning rate of an update: it rises linearly in the warm-up, then falls linearly to zero."""
        settings = self.settings
        warm = settings.warmup * settings.updates
        if update < warm:
            return settings.learning_rate * (update + 1) / warm
        return settings.learning_rate * (settings.updates - update) / (settings.updates - warm)

    def _set_rate(self, update: int) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(update)

    def _step(self, batch: tuple[torch.Tensor, ...], update: int, last: bool, state: Path) -> dict[str, float]:
        """Add the gradients of one batch; return its measures.

        Processes average their gradients only with the `last` batch of an update.
        """
        schedule = self.plain.schedule(update / self.settings.updates)
        *tensors, seed = batch
        torch.manual_seed(int(seed))  # for Gumbel noise and dropout, on every device
        device = self.accelerator.device
        self.model.train()
        waves, masks, targets = (tensor.to(device, non_blocking=True) for tensor in tensors)
        with self.accelerator.autocast():
            results = self.model(waves, masks, targets, **schedule)
        losses = {name: float(results[name].detach()) for name in self.plain.measures}
        if not np.isfinite(losses["loss"]):
            where = f"its last good state is in {state}" if state.exists() else "there is no earlier state"
            raise UserError(
                f"the loss of the pretraining is {losses['loss']} at update {update + 1}; {where}. Lower "
                "pretrain.learning_rate (or set pretrain.precision: float32) and start again: it resumes from there."
            )
        if last:
            self.accelerator.backward(results["loss"])
        else:
            with self.accelerator.no_sync(self.model):
                self.accelerator.backward(results["loss"])
        heard = self.accelerator.reduce(torch.tensor(waves.numel(), device=device), "sum")
        self.heard_seconds += int(heard) / self.train_audio.speech[0].sample_rate_hz
        return losses

    def _prepared(self) -> Iterator[tuple[torch.Tensor, ...]]:
        """Yield this process's batches from the next update on, prepared ahead by threads."""
        return ordered_map(
            lambda item: self._prepare(self.train_audio, item[0], [self.settings.seed, item[1]]),
            self._planned(),
            self.loaders,
            "batches",
        )

    def _planned(self) -> Iterator[tuple[Batch, int]]:
        """Yield this process's batches with their numbers: the processes take batches in turn."""
        world, own = self.accelerator.num_processes, self.accelerator.process_index
        stream = Stream(self.train_audio)
        turns = self.settings.accumulation
        for turn in range(self.done * turns, self.settings.updates * turns):
            yield stream[turn * world + own], turn * world + own

    def _prepare(self, audio: Languages, batch: Batch, key: list[int]) -> tuple[torch.Tensor, ...]:
        """Waves (B, N), masks (B, T), the model's distractors or clusters, and a seed for Gumbel noise and dropout.

        Everything random here is drawn from `key`.
        """
        generator = np.random.default_rng(key)
        settings = self.settings
        waves = audio.waves(batch, generator)
        frames = int(frames_of(torch.tensor(batch.samples), *self.conv))
        masks = span_masks(frames, len(waves), settings.mask_probability, settings.mask_frames, generator)
        targets = self.plain.prepare(waves, masks, generator)
        seed = torch.tensor(int(generator.integers(2**62)))
        return torch.from_numpy(waves), torch.from_numpy(masks), torch.from_numpy(targets), seed

    @torch.inference_mode()
    def validate(self) -> dict[str, Any]:
        """Measures on the split valid, always with the same masks, and the perplexities (G,) of the codebooks there."""
        self.plain.eval()
        device = self.accelerator.device
        sums, total, usage = dict.fromkeys(self.plain.measures, 0.0), 0, 0.0
        schedule = self.plain.schedule(1.0)
        for number, batch in enumerate(self.valid_audio.batches(0)[:CHECKED_BATCHES]):
            waves, masks, targets, _ = self._prepare(self.valid_audio, batch, [self.settings.seed, number])
            with self.accelerator.autocast():
                results = self.plain(waves.to(device), masks.to(device), targets.to(device), **schedule)
            count = int(masks.sum())
            sums = {name: sums[name] + count * float(results[name]) for name in sums}
            usage = usage + count * results["usage"].cpu()
            total += count
        means = {f"valid_{name}": value / total for name, value in sums.items()}
        return means | {"valid_perplexities": perplexities(usage / total).tolist(), "codes": usage.shape[1]}

    def _check(self, means: dict[str, float], update: int) -> None:
        """Add a row to the curves and a line to the log; warn of a collapse."""
        if self.accelerator.is_main_process:
            valid = self.validate()
            size = valid.pop("codes")
            low = [book for book, value in enumerate(valid["valid_perplexities"], 1) if value < LEAST_SHARE * size + 1]
            self.strikes = self.strikes + 1 if low else 0
            status = "collapsed" if self.strikes >= PATIENCE else "ok"
            learned = {"learning_rate": self.learning_rate(update)}
            learned |= self.plain.schedule(update / self.settings.updates)
            progress = {"update": self.done, "seconds": self.seconds, "heard_hours": self.heard_seconds / 3600}
            self.rows.append({**progress, **means, **valid, **learned, "status": status})
            main = self.plain.main
            log.info(
                "update %d, %.1f h of audio (%.0f x real time): %s %.3f, valid %.3f, accuracy %.2f, "
                "perplexity of the codes %s of %d",
                *(self.done, self.heard_seconds / 3600, self.heard_seconds / max(self.seconds, 1e-6)),
                *(main, means[main], valid[f"valid_{main}"], valid["valid_accuracy"]),
                *(" and ".join(f"{value:.1f}" for value in valid["valid_perplexities"]), size),
            )
            if status == "collapsed":
                log.warning(self.plain.collapse, " and ".join(map(str, low)))
        self.accelerator.wait_for_everyone()

    def _fingerprint(self) -> str:
        """Hash what must be the same for a state to be resumed."""
        kept = {name: value for name, value in asdict(self.settings).items() if name not in CAN_CHANGE}
        audio = [self.train_audio.names, self.train_audio.amounts.tolist(), self.train_audio.probabilities.tolist()]
        return fingerprint(kept, self.origin, audio)

    def _save(self, path: Path) -> None:
        if not self.accelerator.is_main_process:
            return
        tensors = {f"model.{name}": value for name, value in self.plain.state_dict().items()}
        tensors |= adam_tensors(self.optimizer, dict(self.plain.named_parameters()))
        scaler = self.accelerator.scaler.state_dict() if self.accelerator.scaler else {}
        progress = {name: getattr(self, name) for name in PROGRESS}
        save_state(path, tensors, self._fingerprint(), {**progress, "scaler": scaler})

    def resume(self, path: Path) -> bool:
        """Load the state that a killed job with the same settings left at `path`; False if there is none."""
        found = load_state(path, self._fingerprint())
        if found is None:
            return False
        tensors, progress = found
        parts = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
        self.plain.load_state_dict(parts)
        restore_adam(self.optimizer, dict(self.plain.named_parameters()), tensors)
        if scaler := progress.pop("scaler"):
            self.accelerator.scaler.load_state_dict(scaler)
        for name, value in progress.items():
            setattr(self, name, value)
        log.info("resumed after update %d", self.done)
        return True

"""The training of the runs of one job: checks, curves, the best weights, and the state to resume from.

Dimensions: N runs.
"""

import logging
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from tqdm import trange

from unscribed.gan.batches import Sequences
from unscribed.gan.check import PATIENCE, LabelFreeScorer, verdict
from unscribed.gan.model import Generators
from unscribed.gan.runs import MOMENTS, GanSettings, Run, run_label
from unscribed.gan.trainer import GanTrainer, Losses, State
from unscribed.text.label_free import Score
from unscribed.training_state import fingerprint, load_state, save_state

log = logging.getLogger(__name__)

CHECKED_UTTERANCES = 200  # decoded at each check: more make its scores steadier and the check slower
GROUPS = ("averaged", "statistics")  # groups of the trainer's tensors that make up a generator
PROGRESS = ("alive", "done", "seconds", "rows", "strikes", "best", "status")  # saved beside the tensors, to resume


class GanJob:
    """Trains N runs together and can resume.

    A run's place is its index in the job; its row is its index among the runs that the trainer still trains: `alive`
    has the place of each row. `rows` are the rows of the curves, `strikes` the consecutive checks that found a run
    collapsed, `best` the lowest weighted perplexity of each run and its update.
    """

    def __init__(
        self,
        trainer: GanTrainer,
        runs: list[Run],
        numbers: list[int],
        settings: GanSettings,
        inventory: list[str],
        scorer: LabelFreeScorer,
    ) -> None:
        self.trainer, self.runs, self.numbers = trainer, runs, numbers
        self.settings, self.inventory, self.scorer = settings, inventory, scorer
        self.alive = list(range(len(runs)))
        self.done, self.seconds = 0, 0.0
        self.rows: list[dict[str, Any]] = []
        self.strikes = [0] * len(runs)
        self.best: dict[int, tuple[float, int]] = {}
        self.status = ["ok"] * len(runs)
        self.kept = {moment: self._generator_tensors() for moment in MOMENTS}

    def begin(self) -> None:
        """Keep the weights that the runs start with, after any warm start."""
        self.kept = {moment: self._generator_tensors() for moment in MOMENTS}

    def train(self, valid: Sequences, state: Path) -> None:
        """Train until the end, or until no run is left; check and save the state every `check_every` updates."""
        if not self.done:
            self._check(valid, {})
        started, before = time.monotonic(), self.seconds
        recent: dict[str, torch.Tensor] = {}
        for number in trange(self.done, self.settings.updates, initial=self.done, disable=None, unit="update"):
            if not self.alive:
                break
            recent |= self.trainer.update(number)
            self.done = number + 1
            if self.done % self.settings.check_every == 0 or self.done == self.settings.updates:
                self.seconds = before + time.monotonic() - started
                self._check(valid, recent)
                self._save(state)
        log.info("%d updates of %d runs in %.0f s", self.done, len(self.runs), self.seconds)

    def generators(self, moment: str) -> Generators:
        """Return the generators of all runs at one of MOMENTS."""
        kept = self.kept[moment]
        return Generators(kept["averaged"], kept["statistics"], self.inventory, self.settings.stride)

    def about(self) -> list[dict[str, Any]]:
        """Describe every run for the model file."""
        return [
            {
                **run,
                "run": number,
                "label": run_label(run),
                "status": status,
                "best_update": self.best[place][1] if place in self.best else 0,
            }
            for place, (run, number, status) in enumerate(zip(self.runs, self.numbers, self.status, strict=True))
        ]

    def _generator_tensors(self) -> State:
        state = self.trainer.state()
        return {group: {name: value.clone() for name, value in state[group].items()} for group in GROUPS}

    def _keep(self, moment: str, place: int, row: int) -> None:
        """Keep the weights of one run, by its place in the job and its row in the trainer."""
        state = self.trainer.state()
        for group in GROUPS:
            for name, value in self.kept[moment][group].items():
                value[place] = state[group][name][row]

    def _check(self, valid: Sequences, losses: Losses) -> None:
        """Decode `valid` with every run: record its scores, keep its best weights, end it if diverged or collapsed."""
        state = self.trainer.state()
        current = Generators(state["averaged"], state["statistics"], self.inventory, self.settings.stride)
        hypotheses: list[list[list[str]]] = [[] for _ in self.alive]
        for found, _ in zip(current.transcribe(valid), range(CHECKED_UTTERANCES), strict=False):
            for row, (phones, _, _) in enumerate(found):
                hypotheses[row].append([self.inventory[phone] for phone in phones])
        lost = []
        for row, place in enumerate(self.alive):
            values = {name: float(value[row]) for name, value in losses.items()}
            scores = self.scorer.score(hypotheses[row])
            status = verdict(values, hypotheses[row], scores.usage)
            self._record(place, values, scores, status)
            if status.startswith("diverged"):
                lost.append(row)
            else:
                self._keep("last", place, row)
                if place not in self.best or scores.weighted_perplexity < self.best[place][0]:
                    self.best[place] = (scores.weighted_perplexity, self.done)
                    self._keep("best", place, row)
                self.strikes[place] = self.strikes[place] + 1 if status != "ok" else 0
                if self.strikes[place] >= PATIENCE:
                    lost.append(row)
            self.status[place] = status
        self._end(lost)

    def _record(self, place: int, losses: dict[str, float], scores: Score, status: str) -> None:
        """Add a row to the curves and a line to the log."""
        label = run_label(self.runs[place])
        self.rows.append(
            {
                **{"run": self.numbers[place], "label": label, "update": self.done, "seconds": self.seconds, **losses},
                **{"usage": scores.usage, "lm_perplexity": scores.lm_perplexity, "status": status},
                "weighted_perplexity": scores.weighted_perplexity,
                "phones_per_utterance": scores.tokens / max(1, scores.sentences),
            }
        )
        log.info(
            "update %d, run %d (%s): weighted perplexity %.2f, usage %.2f%s, %s",
            *(self.done, self.numbers[place], label, scores.weighted_perplexity, scores.usage),
            *(_discriminator(losses), status),
        )

    def _end(self, rows: list[int]) -> None:
        """Take runs out of the training, by their rows in the trainer; the others continue unchanged."""
        for row in rows:
            place = self.alive[row]
            log.warning("run %d ends at update %d: it has %s", self.numbers[place], self.done, self.status[place])
        if rows:
            kept = [row for row in range(len(self.alive)) if row not in rows]
            self.trainer.keep(kept)
            self.alive = [self.alive[row] for row in kept]

    def _fingerprint(self) -> str:
        """Identify what must be the same for a state to be resumed."""
        data = self.trainer.data
        sizes = [len(data.audio), len(data.audio.data), len(data.text), len(data.text.data)]
        return fingerprint(asdict(self.settings), self.runs, self.inventory, sizes)

    def _save(self, path: Path) -> None:
        groups = {f"trainer.{name}": group for name, group in self.trainer.state().items()}
        groups |= {f"{moment}.{name}": group for moment in MOMENTS for name, group in self.kept[moment].items()}
        tensors = {f"{group}.{name}": value for group, part in groups.items() for name, value in part.items()}
        progress = {name: getattr(self, name) for name in PROGRESS}
        save_state(path, tensors, self._fingerprint(), progress | {"best": list(self.best.items())})

    def resume(self, path: Path) -> bool:
        """Restore the state that a killed job with the same settings left at `path`; False if there is none."""
        found = load_state(path, self._fingerprint())
        if found is None:
            return False
        tensors, progress = found
        self.best = {int(place): tuple(score) for place, score in progress.pop("best")}
        for name, value in progress.items():
            setattr(self, name, value)
        self.trainer.keep(self.alive)
        self.trainer.load(_group(tensors, "trainer"))
        self.kept = {moment: _group(tensors, moment) for moment in MOMENTS}
        log.info("resumed after update %d", self.done)
        return True


def _discriminator(losses: dict[str, float]) -> str:
    """Describe the discriminator's losses for the log; empty before the first update."""
    if not losses:
        return ""
    return ", discriminator {discriminator_fake:.2f} + {discriminator_real:.2f} (guessing: 0.69 + 0.69)".format(
        **losses
    )


def _group(tensors: dict[str, torch.Tensor], prefix: str) -> State:
    """Return the tensors named `prefix.group.name` by group and name."""
    groups: State = {}
    for full, value in tensors.items():
        start, group, name = full.split(".")
        if start == prefix:
            groups.setdefault(group, {})[name] = value
    return groups

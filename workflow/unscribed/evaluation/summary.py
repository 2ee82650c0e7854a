"""Print the short table at the end of `make demo`: main metrics, their meaning, files to open next."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from unscribed.artifacts import Pathlike, read_json
from unscribed.errors import UserError

WIDTH = 80  # columns of a standard terminal
LABEL_WIDTH, VALUE_WIDTH, FILE_WIDTH = 24, 9, 32

VERDICT = "verdict.json"  # in the results folder
HELD_OUT = "perplexity on text that was held out"

# label, key, unit, meaning; a row whose key is absent is left out
ROWS = (
    ("word error rate", "test.wer", "%", "wrong words per word spoken, test set"),
    ("  unknown words", "test.words.oov_rate", "%", "spoken words that the text does not have"),
    ("  known by heart", "test.words.nearly_seen", "%", "test sentences that the text nearly has"),
    ("phone error rate", "test.per", "%", "wrong phones per phone spoken, without HMMs"),
    ("  after HMM training", "test.per.hmm", "%", "the same after HMM self-training"),
    ("  of the words", "test.words.per", "%", "the same for the phones of the words"),
    ("  by chance", "test.per.random", "%", "without HMMs, phones exchanged at random"),
    ("  unrelated", "test.per.unrelated", "%", "or those of another utterance as long"),
    ("  one phone for all", "test.per.constant", "%", "the best phone, so many times, each time"),
    ("  substituted", "test.per.sub", "%", "another phone instead"),
    ("  deleted", "test.per.del", "%", "phones missed"),
    ("  inserted", "test.per.ins", "%", "phones that nobody spoke"),
    ("  validation set", "valid.per", "%", "should be close to the test set's"),
    ("regret of the choice", "select.regret", "%", "above the best of the candidates"),
    ("segment boundaries", "segment.f1", "%", "F1 against true phone boundaries, at first"),
    ("  after decoding", "decode.boundary_f1", "%", "the same for the recognised phones"),
    ("  of the words", "test.words.boundary_f1", "%", "the same for the phones of the words"),
    *((f"{order}-grams of phones", f"phone_lm.{order}.perplexity", "perplexity", HELD_OUT) for order in range(3, 7)),
    ("n-grams of words", "word_lm.perplexity", "perplexity", HELD_OUT),
    ("audio", "audio.hours", "h", "all splits; no transcript was learned from"),
    ("sentences of text", "text.sentences", "", "unrelated to the audio, used in training"),
    ("time", "seconds", "time", "work of all stages, added up"),
    ("peak memory", "memory_mb", "memory", "of the largest job"),
)

# label, key without the number of the round at its end, unit; of the shown seed
ROUND_ROWS = (
    ("discrepancy from text", "match.discrepancy.round", ""),
    ("phone error rate", "test.per.match.round", "%"),
)
ROUND_WIDTH = 8

# file in the results folder, its content; files that do not exist are left out
NEXT = (
    ("report.html", "all of this on a page, with sound"),
    ("evaluate/word_utterances.parquet", "the words of each test utterance"),
    ("evaluate/word_errors.parquet", "which words are taken for which"),
    ("textgrid/test", "words and phones with times, for Praat"),
    ("evaluate/utterances.parquet", "what was recognised in each test utterance"),
    ("evaluate/hmm_confusions.parquet", "which phones are taken for which"),
    ("evaluate/diagnose.json", "can the text's statistics tell the phones?"),
    ("metrics.json", "every number, by round and by seed"),
)


class Row(NamedTuple):
    """A line of the main numbers; a `label` that begins with spaces is a part of the one above."""

    label: str
    value: str
    meaning: str


def print_summary(metrics_path: Pathlike, results_dir: Pathlike) -> None:
    """Print the main metrics of metrics.json and the files to open next, in at most 80 columns.

    Metrics that are not known (no transcripts) and files that do not exist are left out. Raises UserError if there is
    no metrics.json.
    """
    if not Path(metrics_path).is_file():
        raise UserError(f"{metrics_path} does not exist: run the workflow first, for the demo with `make demo`.")
    print("\n".join(summary_lines(read_json(metrics_path), Path(results_dir))))


def summary_lines(metrics: dict[str, float], results: Path) -> list[str]:
    """Format the lines that `print_summary` prints."""
    lines = _verdict_lines(results)
    lines += ["", f"{'metric':<{LABEL_WIDTH}}{'value':>{VALUE_WIDTH}}  what it means", "─" * WIDTH]
    lines += [f"{row.label:<{LABEL_WIDTH}}{row.value:>{VALUE_WIDTH}}  {row.meaning}" for row in main_rows(metrics)]
    lines.append("─" * WIDTH)
    lines += _round_lines(metrics)
    if "test.per" not in metrics:
        lines += textwrap.wrap("The corpus has no transcripts of the test set, so no error rate is known.", WIDTH)
    files = [name for name, _ in NEXT if (results / name).exists()]
    figures = sorted({f"{path.parent.relative_to(results)}/" for path in results.rglob("*.png")})
    meanings = dict(NEXT) | dict.fromkeys(figures, "figures")
    if files or figures:
        lines += ["", f"Look next in {results}"]
        lines += [f"  {name:<{FILE_WIDTH}}  {meanings[name]}" for name in [*files, *figures]]
    return [*lines, ""]


def main_rows(metrics: Mapping[str, float]) -> list[Row]:
    """Return the main metrics that are known, with their units and meanings."""
    rows = []
    for label, key, unit, meaning in ROWS:
        value = _total(metrics, key) if unit in ("time", "memory") else metrics.get(key)
        if value is not None:
            rows.append(Row(label, _value(value, unit), meaning))
    return rows


def _verdict_lines(results: Path) -> list[str]:
    """Whether the run has learned, by which figures, and what to do next; nothing if there is no verdict."""
    if not (results / VERDICT).is_file():
        return []
    found = read_json(results / VERDICT)
    figures = ", ".join(
        f"{name} {figure['value']:.2f} (good: {figure['good']:g})" for name, figure in found["figures"].items()
    )
    text = f"Verdict without transcripts: {found['verdict']}. {found['advice']} ({figures})"
    return ["", *textwrap.wrap(text, WIDTH)]


def _round_lines(metrics: dict[str, float]) -> list[str]:
    """Format the matching's rounds as tables of at most WIDTH columns: discrepancy and phone error rate."""
    prefix = ROUND_ROWS[0][1]
    rounds = sorted(int(key.removeprefix(prefix)) for key in metrics if key.startswith(prefix))
    room = (WIDTH - LABEL_WIDTH) // ROUND_WIDTH
    lines = []
    for first in range(0, len(rounds), room):
        shown = rounds[first : first + room]
        lines.append(f"{'round':<{LABEL_WIDTH}}" + "".join(f"{number:>{ROUND_WIDTH}}" for number in shown))
        for label, key, unit in ROUND_ROWS:
            values = [metrics.get(f"{key}{number}") for number in shown]
            if any(value is not None for value in values):
                cells = (_cell(value, unit) for value in values)
                lines.append(f"{label:<{LABEL_WIDTH}}" + "".join(f"{cell:>{ROUND_WIDTH}}" for cell in cells))
    return [*lines, "─" * WIDTH] if lines else []


def _cell(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return _value(value, unit) if unit else f"{value:.3f}"


def _total(metrics: Mapping[str, float], prefix: str) -> float | None:
    """Sum the seconds, or find the highest memory, over the stages; None if there are none."""
    values = [value for key, value in metrics.items() if key.startswith(f"{prefix}.")]
    if not values:
        return None
    return sum(values) if prefix == "seconds" else max(values)


def _value(value: float, unit: str) -> str:
    if unit == "%":
        return f"{100 * value:.1f} %"
    if unit == "h":
        return f"{value:.2f} h"
    if unit == "perplexity":
        return f"{value:.1f}"
    if unit == "time":
        return f"{value / 60:.1f} min" if value >= 60 else f"{value:.0f} s"
    if unit == "memory":
        return f"{value / 1000:.1f} GB" if value >= 1000 else f"{value:.0f} MB"
    return f"{value:,.0f}"

"""Metrics of the language models, from the reports of their stages."""

from collections.abc import Sequence
from pathlib import Path

from unscribed.artifacts import read_json


def lm_metrics(phone_reports: Sequence[str | Path], word_report: str | Path) -> dict[str, float]:
    """Collect `phone_lm.{order}.perplexity`, `word_lm.perplexity` and `word_lm.oov_rate` on held-out sentences.

    Perplexities are per token, the sentence's end included. Values unknown because the text is too short are left out.
    """
    words = read_json(word_report)
    values = {
        f"phone_lm.{report['order']}.perplexity": report["perplexity"] for report in map(read_json, phone_reports)
    }
    values |= {f"word_lm.{name}": words[name] for name in ("perplexity", "oov_rate")}
    return {name: float(value) for name, value in values.items() if value is not None}

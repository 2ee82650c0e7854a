"""What a run that did not learn writes in place of its words."""

from unscribed.artifacts import Pathlike, read_json

NOT_LEARNED = "did not learn"  # the verdict in verdict.json, as unscribed.evaluation.verdict writes it
REASON = (
    "nothing is written, because the run did not learn: its words come from the text, not from the audio "
    "(verdict.json). `outputs: {unlearned: true}` writes them nevertheless."
)


def withheld(verdict: Pathlike | None, unlearned: bool) -> bool:
    """Return whether the words of a run must not be passed on: it did not learn, and `unlearned` does not allow it.

    `verdict` is None for words of another model than the one it judges.
    """
    return bool(verdict) and not unlearned and read_json(verdict)["verdict"] == NOT_LEARNED

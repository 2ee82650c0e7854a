"""Take a recogniser out of the results of a corpus: its folder, what it names elsewhere, and a model card."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from unscribed import __version__
from unscribed.artifacts import atomic_folder, read_json, write_json
from unscribed.errors import UserError
from unscribed.recogniser.folder import CARD, Card
from unscribed.recogniser.recogniser import IN_RESULTS

ENCODER = "encoder"  # the pretrained model of learned features, in the exported folder
# Rows of the model card: metric, its meaning, and whether it is a share.
FIGURES = (
    ("test.wer", "word error rate of the test set", True),
    ("test.per.hmm", "phone error rate of the test set", True),
    ("audio.hours", "hours of audio, without transcripts", False),
    ("text.sentences", "sentences of text, unrelated to the audio", False),
)


def export_recogniser(results: Path, folder: Path) -> int:
    """Copy the recogniser of a corpus to the new `folder`, with its pretrained model and a README; return its bytes.

    A model on the Hugging Face hub stays there. Raises UserError if the workflow has not made the recogniser, or if
    there is something at `folder`.
    """
    source = results / IN_RESULTS
    if not (source / CARD).is_file():
        raise UserError(
            f"{source} does not exist: run the workflow to its end, or `snakemake recogniser --configfile FILE` with "
            "the configuration of this corpus."
        )
    if folder.exists():
        raise UserError(f"{folder} exists already: name a new folder, or remove it.")
    metrics = read_json(results / "metrics.json") if (results / "metrics.json").is_file() else {}
    values = read_json(source / CARD)
    with atomic_folder(folder) as temporary:
        shutil.copytree(source, temporary, dirs_exist_ok=True)
        checkpoint = source / Path(values["checkpoint"]).expanduser()
        if values["checkpoint"] and checkpoint.is_dir():
            shutil.copytree(checkpoint, temporary / ENCODER)
            write_json(temporary / CARD, values | {"checkpoint": ENCODER})
        (temporary / "README.md").write_text(model_card(Card.read(source), metrics), encoding="utf-8")
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def model_card(card: Card, metrics: Mapping[str, float]) -> str:
    """Return the README of a recogniser: what it is, what it was learned from, how good it is, how to use it."""
    rows = [
        f"| {meaning} | {f'{100 * metrics[key]:.1f} %' if share else f'{metrics[key]:,.2f}'.removesuffix('.00')} |"
        for key, meaning, share in FIGURES
        if key in metrics
    ]
    known = ["| | |", "| --- | --- |", *rows] if rows else ["No figures were exported with it."]
    if "test.wer" not in metrics:
        known += ["", "The corpus has no transcripts, so nobody knows its error rates."]
    lines = [
        f"# A recogniser of {card.language}, learned without transcripts",
        "",
        f"It was learned from the corpus `{card.corpus}` by Unscribed {__version__}: from untranscribed audio",
        "and unrelated text. Voices, noise and topics unlike those of its corpus are recognised worse.",
        "",
        f"Verdict of its run, told without transcripts: **{card.verdict}**.",
        "",
        *known,
        "",
        "    unscribed transcribe FILE --model FOLDER",
        "",
        f"It wants audio of any form, which it converts to {card.sample_rate_hz} Hz and one channel. `{CARD}` has all",
        "its settings.",
    ]
    return "\n".join(lines) + "\n"

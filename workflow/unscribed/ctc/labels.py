"""Stages finetune_labels and finetune_vocab: transcribed subsets to fine-tune on, and the symbols of the model.

Subsets of the transcripts stand for a language with little transcribed speech, as the 10 minutes, 1 hour and 10 hours
of Libri-light in wav2vec 2.0 (Baevski et al., 2020, §4.1). Rows have the form of the pseudo-labels.
"""

import logging
import unicodedata
from collections.abc import Sequence

import numpy as np
import pandas as pd

from unscribed.artifacts import Pathlike, write_json
from unscribed.errors import UserError
from unscribed.references import read_references
from unscribed.tables import ManifestTable, PseudoLabelTable, VadTable
from unscribed.text.inventory import read_inventory
from unscribed.text.letters import SPECIAL, WORD_DELIMITER
from unscribed.text.normalize import cleaner
from unscribed.text.silence import SILENCE, strip_silence

log = logging.getLogger(__name__)

BLANK = SPECIAL[0]  # <pad>, id 0
UNKNOWN = SPECIAL[2]


def few_labels(
    *,
    references: Pathlike | Sequence[str],
    manifest: Pathlike,
    vad: Pathlike,
    hours: float | None,
    seed: int,
    units: str,
    language: str,
    subset: Pathlike,
) -> None:
    """Write the transcripts of random utterances with `hours` of speech in all; of all utterances if it is None.

    With the same seed, a smaller subset is part of every larger one. Utterances without transcript, without `units`
    (letters or phones) or not in the manifest are left out; words are spelled as in the text. Raises UserError without
    transcripts, without phones if these are the units, and if there are fewer hours.
    """
    if not references:
        raise UserError(
            "corpus.folder.transcripts is empty: set it, or set finetune.labels to pseudo, which needs no transcripts."
        )
    rows = _transcribed(references, manifest, vad, language)
    usable = rows[rows[units].map(len) > 0]
    if units == "phones" and not len(usable) and len(rows):
        raise UserError(f"{references} has words but no phones: set finetune.units: letters.")
    order = np.random.default_rng(seed).permutation(len(usable))
    seconds = np.cumsum(usable["speech_seconds"].to_numpy()[order])
    total = float(seconds[-1]) / 3600 if len(seconds) else 0.0
    if hours is not None and hours > total:
        raise UserError(
            f"finetune.labels asks for {hours:.3g} h of transcribed speech, but {references} and {manifest} have only "
            f"{total:.3g} h: take a smaller subset, or all."
        )
    if not len(usable):
        raise UserError(f"{references} has no transcript for any utterance of {manifest}: check that the names agree.")
    count = len(order) if hours is None else min(len(order), int(np.searchsorted(seconds, hours * 3600)) + 1)
    chosen = usable.iloc[np.sort(order[:count])]
    PseudoLabelTable.from_frame(chosen).write(subset)
    log.info("%d of %d utterances, %.3f of %.3f h of speech", count, len(usable), seconds[count - 1] / 3600, total)


def _transcribed(
    references: Pathlike | Sequence[str], manifest: Pathlike, vad: Pathlike, language: str
) -> pd.DataFrame:
    """Rows of a PseudoLabelTable and `speech_seconds` of the utterances that all three tables know, by name."""
    clean = cleaner(language)
    table = read_references(references)[["utterance", "words", "phones"]]
    for other in (ManifestTable.read(manifest)[["utterance", "path"]], VadTable.read(vad)):
        table = table.merge(other, on="utterance", validate="one_to_one")
    spoken = [clean(unicodedata.normalize("NFC", words or "")) for words in table["words"]]
    return table.assign(
        words=[" ".join(words) for words in spoken],
        letters=[list(WORD_DELIMITER.join(words)) for words in spoken],
        phones=[strip_silence(phones) for phones in table["phones"]],
        confidence=1.0,
    ).sort_values("utterance")


def finetune_vocab(*, train_labels: Sequence[str], phones: Sequence[str], units: str, vocab: Pathlike) -> None:
    """Write symbol to id as JSON, in the form of transformers' Wav2Vec2CTCTokenizer; id 0, `<pad>`, is CTC's blank.

    Letters: those of all tables `train_labels` (one per language; their union is XLSR's joint vocabulary), after
    `<pad>`, `|` and `<unk>`, by code point. Phones: those of all inventories `phones` but `<SIL>`, in order.
    Raises UserError for a table that has no letters.
    """
    if units == "phones":
        inventory = [phone for path in phones for phone in read_inventory(path)]
        symbols = [BLANK, *dict.fromkeys(phone for phone in inventory if phone != SILENCE)]
    else:
        found: set[str] = set()
        for path in train_labels:
            found.update(letter for row in PseudoLabelTable.read(path)["letters"] for letter in row)
        symbols = [*SPECIAL, *sorted(found - {WORD_DELIMITER})]
    write_json(vocab, {symbol: number for number, symbol in enumerate(symbols)})
    log.info("%d symbols", len(symbols))

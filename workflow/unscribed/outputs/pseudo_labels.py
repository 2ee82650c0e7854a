"""Stage pseudo_labels: write the decoded words in place of transcripts, for fine-tuning with CTC.

Self-training on them is the last step of wav2vec-U (Baevski et al., "Unsupervised speech recognition", NeurIPS 2021,
section 3.4). Letters and vocabulary have the form that wav2vec 2.0 is fine-tuned with: `|` stands between words.
"""

import logging

import numpy as np

from unscribed.artifacts import Pathlike, write_json
from unscribed.errors import UserError
from unscribed.outputs.unlearned import REASON, withheld
from unscribed.tables import NO_PATH, ManifestTable, PseudoLabelTable, VadTable, WordTable
from unscribed.text.letters import SPECIAL, WORD_DELIMITER
from unscribed.text.silence import strip_silence

log = logging.getLogger(__name__)


def pseudo_labels(
    *,
    words: Pathlike,
    manifest: Pathlike,
    vad: Pathlike,
    labels: Pathlike,
    verdict: Pathlike | None = None,
    unlearned: bool = False,
) -> None:
    """Write one row per utterance of `words` (word decoding) for which words were found.

    `path` is the audio file and `starts_samples`, `ends_samples` are its regions of speech, at audio.sample_rate_hz;
    `phones` are without `<SIL>`; `confidence` is the mean over the words. Utterances without a path or without words
    are counted in the log. There is no row if the run did not learn by its `verdict`, unless `unlearned`.
    Raises UserError if `words` is not such a table, if no utterance in it has words, or if `manifest` or `vad` lacks an
    utterance.
    """
    if withheld(verdict, unlearned):
        PseudoLabelTable().write(labels, {"why": REASON})
        log.warning("%s", REASON)
        return
    decoded = WordTable.read(words)
    no_path = decoded["status"] == NO_PATH
    wordless = ~no_path & (decoded["words"].map(len) == 0)
    kept = decoded[~no_path & ~wordless]
    if not len(kept):
        raise UserError(
            f"{words}: none of its {len(decoded)} utterances has words, so there are no pseudo-labels. "
            "See the log of the stage words; a wider beam (hmm.beam, ctc.beam) may find some."
        )
    utterances = kept["utterance"].tolist()
    regions = VadTable.by_utterance(vad, utterances)
    table = PseudoLabelTable(
        utterance=utterances,
        path=ManifestTable.by_utterance(manifest, utterances)["path"],
        starts_samples=regions["starts_samples"],
        ends_samples=regions["ends_samples"],
        words=[" ".join(found) for found in kept["words"]],
        letters=[list(WORD_DELIMITER.join(found)) for found in kept["words"]],
        phones=[strip_silence(phones) for phones in kept["phones"]],
        confidence=[float(np.mean(found)) for found in kept["word_confidences"]],
    )
    table.write(labels)
    log.info(
        "%d utterances with pseudo-labels, mean confidence %.3f; left out: %d without a path, %d without words",
        len(kept),
        np.mean(table.columns["confidence"]),
        no_path.sum(),
        wordless.sum(),
    )


def vocabulary(*, labels: Pathlike, vocab: Pathlike) -> None:
    """Write the id of each letter of the pseudo-labels of train as JSON, for transformers' Wav2Vec2CTCTokenizer.

    0 `<pad>`, 1 `|`, 2 `<unk>`, then the letters by code point. Raises UserError if `labels` is not such a table.
    """
    table = PseudoLabelTable.read(labels)
    letters = {letter for found in table["letters"] for letter in found} - {WORD_DELIMITER}
    write_json(vocab, {symbol: number for number, symbol in enumerate([*SPECIAL, *sorted(letters)])})
    log.info("%d letters and %d special symbols", len(letters), len(SPECIAL))

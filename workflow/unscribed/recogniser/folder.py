"""The folder of a recogniser: all that is needed to transcribe new files, and nothing of the workflow.

`recogniser.json` says what it is and how it listens; `model.safetensors`, `graph.safetensors`, `lexiconp.txt` and
`words.txt` are the HMM, its graph and its words, `pca.safetensors` the projection of its frames if it has one. A
fine-tuned model has the folder `model` instead, in the layout of Hugging Face.
"""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from unscribed.artifacts import Pathlike, atomic_folder, read_json, write_json
from unscribed.audio.vad import VadSettings
from unscribed.errors import UserError
from unscribed.hmm.words import read_edits
from unscribed.recogniser.front_end import FrameSettings
from unscribed.wfst.nbest import NbestSettings
from unscribed.wfst.search import SearchSettings
from unscribed.wfst.weights import Weights, read_weights

CARD = "recogniser.json"
MODEL, GRAPH, LEXICON, WORDS, PCA = (
    *("model.safetensors", "graph.safetensors", "lexiconp.txt", "words.txt", "pca.safetensors"),
)
CTC_MODEL = "model"
FORMAT = 1  # of the folder; readers refuse a later one


@dataclass(frozen=True)
class Card:
    """What `recogniser.json` holds: `corpus` and `language` it was learned from, and the settings of all its parts.

    `kind`: hmm or ctc. `verdict`: whether the run has learned (unscribed.evaluation.verdict). HMMs have `features`, of
    which `checkpoint` is the model if they are learned (a folder or a name on the hub), and may have `projected`
    frames. `edits` per phone are those between the last two models of their self-training, which tell how far words can
    be trusted.
    """

    kind: str
    corpus: str
    language: str
    verdict: str
    sample_rate_hz: int
    vad: VadSettings
    weights: Weights
    search: SearchSettings
    nbest: NbestSettings
    features: FrameSettings | None = None
    checkpoint: str = ""
    projected: bool = False
    edits: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the content of `recogniser.json`."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def read(cls, folder: Path) -> "Card":
        """Read it from a folder. Raises UserError if that is no recogniser, or one of a later version."""
        path = folder / CARD
        try:
            values = read_json(path)
            if values.pop("format") > FORMAT:
                raise UserError(f"{path} comes from a later version of Unscribed: install that one.")
            kinds = {"vad": VadSettings, "features": FrameSettings, "weights": Weights, "search": SearchSettings}
            kinds["nbest"] = NbestSettings
            made = {name: kinds[name](**value) for name, value in values.items() if name in kinds and value}
            return cls(**(values | made))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"{folder} is no recogniser, or a damaged one ({CARD}: {error}): name a folder that "
                "`unscribed export` made, or the results of a corpus."
            ) from error


def recogniser(
    *,
    model: Pathlike,
    graph: Pathlike,
    weights: Pathlike,
    lexiconp: Pathlike,
    word_symbols: Pathlike,
    pca: Pathlike | None,
    verdict: Pathlike,
    checkpoint: str,
    corpus: Mapping[str, str],
    sample_rate_hz: int,
    vad: VadSettings,
    features: FrameSettings,
    search: SearchSettings,
    nbest: NbestSettings,
    recogniser: Pathlike,
) -> None:
    """Gather the final model of a corpus with its words in the folder `recogniser`.

    `corpus` has its `name` and `language`. `pca` is the projection of the frames that the model has learned from, if
    they are projected, `verdict` whether the run has learned. Raises UserError for damaged weights.
    """
    card = Card(
        kind="hmm",
        corpus=corpus["name"],
        language=corpus["language"],
        verdict=read_json(verdict)["verdict"],
        sample_rate_hz=sample_rate_hz,
        vad=vad,
        features=features,
        checkpoint=checkpoint,
        projected=bool(pca),
        weights=read_weights(weights, Weights),
        edits=read_edits(weights),
        search=search,
        nbest=nbest,
    )
    files = {MODEL: model, GRAPH: graph, LEXICON: lexiconp, WORDS: word_symbols} | ({PCA: pca} if pca else {})
    with atomic_folder(recogniser) as folder:
        for name, path in files.items():
            shutil.copyfile(str(path), folder / name)
        write_json(folder / CARD, card.to_json())


def ctc_recogniser(
    *,
    model: Pathlike,
    graph: Pathlike,
    weights: Pathlike,
    lexiconp: Pathlike,
    word_symbols: Pathlike,
    verdict: Pathlike | None,
    corpus: Mapping[str, str],
    sample_rate_hz: int,
    vad: VadSettings,
    search: SearchSettings,
    nbest: NbestSettings,
    recogniser: Pathlike,
) -> None:
    """Gather a fine-tuned model with its words in the folder `recogniser`; see the function `recogniser`.

    `verdict` is that of the run whose words it has learned from; a model of transcripts has none.
    """
    card = Card(
        kind="ctc",
        corpus=corpus["name"],
        language=corpus["language"],
        verdict=read_json(verdict)["verdict"] if verdict else "learned from transcripts",
        sample_rate_hz=sample_rate_hz,
        vad=vad,
        weights=read_weights(weights, Weights),
        search=search,
        nbest=nbest,
    )
    with atomic_folder(recogniser) as folder:
        shutil.copytree(str(model), folder / CTC_MODEL)
        for name, path in {GRAPH: graph, LEXICON: lexiconp, WORDS: word_symbols}.items():
            shutil.copyfile(str(path), folder / name)
        write_json(folder / CARD, card.to_json())

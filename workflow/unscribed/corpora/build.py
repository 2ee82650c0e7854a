"""Stage corpus: write the recordings and the unpaired text that a corpus reader or a synthesiser returns.

The rule names the reader as `module:function` of the package; it returns a `Corpus`.
"""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

from unscribed.artifacts import Pathlike
from unscribed.audio.vad import VadSettings
from unscribed.corpora.cutting import CutSettings
from unscribed.corpora.layout import SPLITS, Corpus, write_recordings, write_split_references, write_text
from unscribed.stage import named_function


def write_corpus(
    *,
    reader: str,
    settings: Mapping[str, Any],
    seed: int,
    sample_rate_hz: int,
    threads: int,
    recordings: Pathlike | None = None,
    text: Pathlike | None = None,
    language: str | None = None,
    phone_map: Pathlike | None = None,
    audio: Pathlike | None = None,
    cutting: CutSettings | None = None,
    vad: VadSettings | None = None,
    cuts: Pathlike | None = None,
    references_train: Pathlike | None = None,
    references_valid: Pathlike | None = None,
    references_test: Pathlike | None = None,
) -> None:
    """Write `recordings`, `text` or both of the corpus that `reader` returns; `settings` is its configuration section.

    A synthesiser also writes its audio into the folder `audio`, and its references are written by split. So does a
    reader that cuts long recordings by `cutting` and `vad`; `cuts` lists their pieces. Raises
    UserError as the readers do, for an empty split and for utterance names that are used twice.
    """
    cutter = {"cutting": cutting, "vad": vad}
    given = {"seed": seed, "sample_rate_hz": sample_rate_hz, "threads": threads, "language": language}
    corpus: Corpus = call_reader(reader, settings, {**given, "phone_map": phone_map, "audio": audio} | cutter)
    if text:
        write_text(text, corpus.sentences)
    if recordings:
        write_recordings(recordings, corpus.recordings, corpus.source)
    if cuts and audio:
        Path(audio).mkdir(parents=True, exist_ok=True)  # an output of the rule, also where nothing was cut
        corpus.cuts.write(cuts)
    if recordings and corpus.references is not None:
        outputs = dict(zip(SPLITS, (references_train, references_valid, references_test), strict=True))
        write_split_references(recordings, corpus.references, outputs)


def call_reader(reader: str, settings: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """Call a reader with `settings` as the dataclass of its annotation, and with those of `given` that it takes."""
    function = named_function(reader)
    wanted = inspect.signature(function).parameters
    arguments = {name: value for name, value in given.items() if name in wanted}
    return function(settings=get_type_hints(function)["settings"](**settings), **arguments)

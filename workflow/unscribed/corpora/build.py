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


def write_spoken(
    *,
    reader: str,
    settings: Mapping[str, Any],
    seed: int,
    sample_rate_hz: int,
    threads: int,
    language: str | None,
    recordings: Pathlike,
    text: Pathlike,
    audio: Pathlike,
    references_train: Pathlike,
    references_valid: Pathlike,
    references_test: Pathlike,
) -> None:
    """Write recordings, text and references of the corpus that a synthesiser `reader` speaks into the folder `audio`.

    `settings` is its configuration section. Raises UserError as the synthesisers do.
    """
    given = {"seed": seed, "sample_rate_hz": sample_rate_hz, "threads": threads, "language": language, "audio": audio}
    corpus: Corpus = call_reader(reader, settings, given)
    write_text(text, corpus.sentences)
    write_recordings(recordings, corpus.recordings, corpus.source)
    if corpus.references is not None:
        outputs = dict(zip(SPLITS, (references_train, references_valid, references_test), strict=True))
        write_split_references(recordings, corpus.references, outputs)


def write_recorded(
    *,
    reader: str,
    settings: Mapping[str, Any],
    cutting: CutSettings,
    vad: VadSettings,
    seed: int,
    sample_rate_hz: int,
    threads: int,
    recordings: Pathlike,
    audio: Pathlike,
    cuts: Pathlike,
    phone_map: Pathlike | None = None,
) -> None:
    """Write the recordings of the corpus that `reader` finds; `settings` is its configuration section.

    A reader that cuts long ones, by `cutting` and `vad`, writes the pieces into the folder `audio`, and `cuts` lists
    them. Raises UserError as the readers do, for an empty split and for utterance names that are used twice.
    """
    given = {"seed": seed, "sample_rate_hz": sample_rate_hz, "threads": threads, "phone_map": phone_map}
    corpus: Corpus = call_reader(reader, settings, {**given, "audio": audio, "cutting": cutting, "vad": vad})
    write_recordings(recordings, corpus.recordings, corpus.source)
    Path(audio).mkdir(parents=True, exist_ok=True)  # an output of the rule, also where nothing is cut
    corpus.cuts.write(cuts)


def write_unpaired(
    *, reader: str, settings: Mapping[str, Any], seed: int, text: Pathlike, phone_map: Pathlike | None = None
) -> None:
    """Write the unpaired text of the corpus that `reader` finds. Raises UserError as the readers do."""
    corpus: Corpus = call_reader(reader, settings, {"seed": seed, "phone_map": phone_map})
    write_text(text, corpus.sentences)


def call_reader(reader: str, settings: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """Call a reader with `settings` as the dataclass of its annotation, and with those of `given` that it takes."""
    function = named_function(reader)
    wanted = inspect.signature(function).parameters
    arguments = {name: value for name, value in given.items() if name in wanted}
    return function(settings=get_type_hints(function)["settings"](**settings), **arguments)

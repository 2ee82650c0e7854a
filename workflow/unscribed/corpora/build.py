"""One entry for all kinds of corpora, so that the workflow needs one rule for a corpus and one for its references."""

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from unscribed.artifacts import Pathlike
from unscribed.corpora.layout import SPLITS

# Kind to (module, dataclass of its settings); functions are named after the kind, modules are loaded when needed.
KINDS = {
    "espeak": ("espeak", "EspeakSettings"),
    "hibari": ("hibari", "HibariSettings"),
    "asterisk": ("asterisk", "AsteriskSettings"),
    "folder": ("folder", "FolderSettings"),
    "librispeech": ("librispeech", "DatasetSettings"),
    "timit": ("timit", "DatasetSettings"),
    "mls": ("mls", "DatasetSettings"),
    "commonvoice": ("commonvoice", "DatasetSettings"),
}


def build(
    *,
    kind: str,
    settings: Mapping[str, Any],
    seed: int,
    sample_rate_hz: int,
    threads: int,
    recordings: Pathlike,
    text: Pathlike,
    language: str | None = None,
    phone_map: Pathlike | None = None,
    audio: Pathlike | None = None,
    references_train: Pathlike | None = None,
    references_valid: Pathlike | None = None,
    references_test: Pathlike | None = None,
) -> None:
    """Write `recordings` and `text` of a corpus of any kind; `settings` is the config section of that kind.

    `phone_map` (TIMIT's phones) is needed for timit, `audio` and the references for espeak and hibari, `language` (of
    the references) for hibari only.
    Raises UserError as the functions of the kinds do.
    """
    given = {name: value for name, value in locals().items() if value is not None}
    _call(f"{kind}_corpus", given)


def build_references(
    *,
    kind: str,
    settings: Mapping[str, Any],
    language: str,
    recordings: Pathlike,
    references_train: Pathlike,
    references_valid: Pathlike,
    references_test: Pathlike,
    phone_map: Pathlike | None = None,
) -> None:
    """Write the references of a corpus that `build` has made, of any kind but espeak and hibari (`build` does it)."""
    given = {name: value for name, value in locals().items() if value is not None}
    outputs = dict(zip(SPLITS, (references_train, references_valid, references_test), strict=True))
    _call(f"write_{kind}_references", {**given, "outputs": outputs})


def _call(name: str, given: Mapping[str, Any]) -> None:
    """Call a kind's function with those of the given arguments that it takes."""
    module_name, settings_name = KINDS[given["kind"]]
    module = import_module(f"unscribed.corpora.{module_name}")
    function: Callable[..., None] = getattr(module, name)
    settings = getattr(module, settings_name)(**given["settings"])
    wanted = inspect.signature(function).parameters
    function(**{**{key: value for key, value in given.items() if key in wanted}, "settings": settings})

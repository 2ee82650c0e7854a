"""The files of the text and of its phone language models, by their use."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TextPlan:
    """`clean`: the text that becomes phones; `orders`: those of the phone n-grams, `selection_order` one of them.

    `own_lexicon`: the user's pronunciations, as an input, so that a change is noticed.
    """

    clean: str
    orders: list[int]
    selection_order: int
    own_lexicon: list[str]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "TextPlan":
        """Read the sections; text that is phones already is not normalised, which would take digits for numbers."""
        stage = "corpus" if config["phonemize"]["backend"] == "phones" else "normalize"
        own = [str(Path(lexicon).expanduser())] if (lexicon := config["phonemize"]["lexicon"]) else []
        return cls(f"<results>/{stage}/text.txt", config["phone_lm"]["orders"], config["hmm"]["lm_order"], own)

    @property
    def search_lm(self) -> str:
        """The phone n-grams for training and decoding with the acoustic model."""
        return f"<results>/phone_lm/{self.orders[0]}gram.arpa"

    @property
    def selection_lm(self) -> str:
        """The phone n-grams of the label-free choice: longer contexts tell good phones from bad ones better."""
        return f"<results>/phone_lm/{self.selection_order}gram.arpa"

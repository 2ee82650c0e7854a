"""The text and its phone language models: which file serves whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TextPlan:
    """`clean` is the text that becomes phones; `orders` are those of the phone n-grams."""

    clean: str
    orders: list[int]
    selection_order: int

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "TextPlan":
        """Text that is phones already skips the cleaning of words, which would take digits in phones for numbers."""
        stage = "corpus" if config["phonemize"]["backend"] == "phones" else "normalize"
        return cls(f"<results>/{stage}/text.txt", config["phone_lm"]["orders"], config["hmm"]["lm_order"])

    @property
    def search_lm(self) -> str:
        """The phone n-grams of acoustic model, resegmentation and beam search."""
        return f"<results>/phone_lm/{self.orders[0]}gram.arpa"

    @property
    def selection_lm(self) -> str:
        """The phone n-grams that choose without labels: longer contexts tell good phones from bad."""
        return f"<results>/phone_lm/{self.selection_order}gram.arpa"

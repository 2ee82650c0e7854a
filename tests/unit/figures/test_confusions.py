import itertools
from pathlib import Path

from helpers.drawn import assert_drawn

from unscribed.evaluation import tables
from unscribed.figures.confusions import confusions_figure

PHONES = """iː ɪ ᵻ eɪ ɛ æ ɑː ɔːɹ ʊ uː ʌ ɜː ə əl ɚ aɪɚ ɔ̃ p b t d k ɡ ʔ t͡ʃ dʒ
f v θ ð s z ʃ ʒ h ç m n n̩ ŋ l ɹ ɾ j w tʲ"""


def test_confusions(tmp_path: Path) -> None:
    phones = PHONES.split()
    path, figure = tmp_path / "confusions.parquet", tmp_path / "confusions.png"
    pairs = [*zip(phones, phones, strict=True), *itertools.pairwise(phones), ("p", ""), ("", "ə")]
    tables.write_confusions(path, {"u": pairs})
    confusions_figure(confusions=path, figure=figure)
    assert_drawn(figure)
    tables.write_confusions(path, {})
    confusions_figure(confusions=path, figure=figure)
    assert_drawn(figure, 0.005)

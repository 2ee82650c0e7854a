from pathlib import Path

from helpers.drawn import assert_drawn

from unscribed.evaluation import tables
from unscribed.figures.words import words_figure


def test_word_errors(tmp_path: Path) -> None:
    path, figure = tmp_path / "errors.parquet", tmp_path / "words.png"
    pairs = [(f"w{number}", "$x$ ʃ") for number in range(30)] + [("the", ""), ("", "the"), ("right", "right")]
    tables.write_word_errors(path, {"u": pairs, "v": pairs[-3:]})
    words_figure(word_errors=path, figure=figure)
    assert_drawn(figure, 0.05)
    tables.write_word_errors(path, {})
    words_figure(word_errors=path, figure=figure)
    assert_drawn(figure, 0.005)

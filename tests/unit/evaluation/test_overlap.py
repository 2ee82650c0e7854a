import math

from unscribed.evaluation.overlap import overlap


def share(spoken: list[str], text: list[str]) -> tuple[float, float]:
    references = {str(number): line.split() for number, line in enumerate(spoken)}
    return overlap(references, [line.split() for line in text])


def test_copies_and_near_copies_by_hand() -> None:
    spoken = ["in the beginning was the word", "and he went out", "nobody said this", "amen"]
    text = ["in the beginning was the word", "then and he went out again", "nobody ever said that", "so amen"]
    assert share(spoken, text) == (1 / 4, 2 / 4)  # of the third, neither pair is there; one word has no pairs
    assert share(["amen"], ["amen"]) == (1.0, 1.0)


def test_most_pairs_are_enough_but_in_one_sentence() -> None:
    assert share(["a b c d e f"], ["a b c d x y"]) == (0.0, 1.0)  # 3 of 5
    assert share(["a b c d e f"], ["a b c", "d e f"]) == (0.0, 0.0)  # 2 of 5 each


def test_nothing() -> None:
    assert all(map(math.isnan, share([], ["a b"]))) and share(["a b"], []) == (0.0, 0.0)

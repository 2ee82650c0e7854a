from pathlib import Path

from helpers.drawn import assert_drawn

from unscribed.artifacts import write_json
from unscribed.figures.hmm import hmm_figure


def test_hmm_steps(tmp_path: Path) -> None:
    path, figure = tmp_path / "metrics.json", tmp_path / "hmm.png"
    steps = {f"test.per.hmm.step{step}": 0.4 - step / 50 for step in range(1, 12)}
    write_json(path, {"test.per": 0.4, "test.words.per": 0.3, **steps})
    hmm_figure(metrics=path, figure=figure)
    assert_drawn(figure, 0.05)
    write_json(path, {})
    hmm_figure(metrics=path, figure=figure)
    assert_drawn(figure, 0.005)

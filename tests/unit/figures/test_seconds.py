from pathlib import Path

from helpers.drawn import assert_drawn

from unscribed.artifacts import write_json
from unscribed.figures.seconds import seconds_figure


def test_seconds(tmp_path: Path) -> None:
    path, figure = tmp_path / "metrics.json", tmp_path / "seconds.png"
    write_json(path, {"seconds.match": 4000.0, "memory_mb.match": 900, "seconds.vad": 75.0, "seconds.silence": 0.1})
    seconds_figure(metrics=path, figure=figure)
    assert_drawn(figure)
    write_json(path, {})
    seconds_figure(metrics=path, figure=figure)
    assert_drawn(figure, 0.005)

from pathlib import Path

import pytest
from helpers.configurations import CORPUS, ROOT

from unscribed.config.load import load
from unscribed.errors import UserError


def test_sizes_that_come_with_the_workflow_are_found_from_any_folder(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load({"corpus": CORPUS}, ROOT)["pretrain"]["model"] == str(ROOT / "config/models/tiny.yaml")
    own = tmp_path / "config/models/tiny.yaml"
    own.parent.mkdir(parents=True)
    own.touch()
    assert load({"corpus": CORPUS}, ROOT)["pretrain"]["model"] == "config/models/tiny.yaml"


def test_values_are_compared_only_when_each_is_right() -> None:
    clash = {"corpus": CORPUS, "audio": {"min_seconds": 9, "max_seconds": 8}}
    with pytest.raises(UserError, match=r"1 mistake in .*\n  audio.min_seconds: 9 must be below"):
        load(clash, ROOT)
    with pytest.raises(UserError, match=r"1 mistake in .*\n  vad.margin_ms: -1 is out of range"):
        load({**clash, "vad": {"margin_ms": -1}}, ROOT)

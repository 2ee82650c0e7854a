import json
import shutil
from pathlib import Path

import pytest
from helpers.toy_recogniser import Toy

from unscribed import Recogniser
from unscribed.artifacts import write_json
from unscribed.errors import UserError
from unscribed.recogniser.export import export_recogniser


def test_an_exported_recogniser_needs_nothing_else(toy: Toy, recording: Path, tmp_path: Path) -> None:
    size = export_recogniser(toy.folder.parent, tmp_path / "mailed")
    files = {path.name: path.stat().st_size for path in (tmp_path / "mailed").iterdir()}
    assert size == sum(files.values())
    assert files.keys() == {"README.md", "recogniser.json", *("model.safetensors", "graph.safetensors")} | {
        "lexiconp.txt",
        "words.txt",
    }
    assert Recogniser(tmp_path / "mailed").transcribe(recording).text == "ca ba kah"


def test_the_card_tells_what_is_known(toy: Toy, tmp_path: Path) -> None:
    export_recogniser(toy.folder.parent, tmp_path / "first")
    assert "nobody knows its error rates" in (tmp_path / "first/README.md").read_text()
    write_json(toy.folder.parent / "metrics.json", {"test.wer": 0.0361, "audio.hours": 2.0})
    export_recogniser(toy.folder.parent, tmp_path / "second")
    (toy.folder.parent / "metrics.json").unlink()
    card = (tmp_path / "second/README.md").read_text()
    assert "| word error rate of the test set | 3.6 % |" in card and "| 2 |" in card
    assert "of toki" in card and "`toy`" in card


def test_mistakes_are_named(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run the workflow to its end"):
        export_recogniser(tmp_path, tmp_path / "new")
    with pytest.raises(UserError, match="exists already"):
        export_recogniser(toy.folder.parent, tmp_path)


def test_a_model_of_learned_features_goes_along(toy: Toy, tmp_path: Path) -> None:
    """The recogniser names it by its place in the results."""
    results = tmp_path / "results"
    shutil.copytree(toy.folder, results / "recogniser")
    (results / "pretrain/model").mkdir(parents=True)
    (results / "pretrain/model/config.json").write_text("{}")
    card = json.loads((results / "recogniser/recogniser.json").read_text())
    write_json(results / "recogniser/recogniser.json", card | {"checkpoint": "../pretrain/model"})
    export_recogniser(results, tmp_path / "out")
    assert (tmp_path / "out/encoder/config.json").is_file()
    assert json.loads((tmp_path / "out/recogniser.json").read_text())["checkpoint"] == "encoder"

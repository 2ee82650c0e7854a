from pathlib import Path

import numpy as np
import pytest
from helpers.toy_language import World

from unscribed.artifacts import write_json, write_tensors
from unscribed.cli.inspect import describe, draw
from unscribed.errors import UserError


def shown(path: Path, rows: int = 2) -> str:
    return "\n".join(describe(path, rows))


def test_tables(world: World) -> None:
    text = shown(world.folder / "labels.parquet", 1)
    assert text.startswith("table: 40 rows, ")
    assert "40 different" in text and "lists of " in text and text.count("\nrow ") == 1


def test_frames_and_their_picture(world: World, tmp_path: Path) -> None:
    text = shown(world.folder / "mfcc.npy")
    assert text.startswith("frame store: 41 utterances, ") and "of 39 float32" in text and "hop_ms: 10.0" in text
    draw(world.folder / "mfcc.npy", tmp_path / "frames.png")
    assert (tmp_path / "frames.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UserError, match="is no frame store"):
        draw(world.folder / "phones.txt", tmp_path / "no.png")


def test_tensors_json_text_and_folders(world: World, tmp_path: Path) -> None:
    write_tensors(tmp_path / "a.safetensors", {"means": np.zeros((3, 2), dtype=np.float32)}, {"phones": ["a", "ɪ"]})
    assert shown(tmp_path / "a.safetensors") == (
        f"tensors: 1, {(tmp_path / 'a.safetensors').stat().st_size} B\n"
        '  phones: ["a", "ɪ"]\n'
        f"  {'means':<32} F32    3 × 2"
    )
    write_json(tmp_path / "b.json", {"wer": 0.5, "long": "x" * 500})
    assert "wer: 0.5" in shown(tmp_path / "b.json") and len(shown(tmp_path / "b.json")) < 200
    assert "text: 4 lines" in shown(world.folder / "phones.txt") and "<SIL>" in shown(world.folder / "phones.txt")
    assert "a.safetensors" in shown(tmp_path) and "b.json" in shown(tmp_path)


@pytest.mark.parametrize("name", ["a.parquet", "a.safetensors", "a.json", "a.bin"])
def test_damaged_and_missing_files_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="does not exist"):
        describe(tmp_path / name, 1)
    (tmp_path / name).write_bytes(b"\xff\xfe\x00 nothing that anybody reads")
    with pytest.raises(UserError, match="is damaged"):
        describe(tmp_path / name, 1)

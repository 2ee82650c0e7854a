import ast
import inspect
from pathlib import Path

import pytest

import unscribed
from unscribed.artifacts import read_json, write_json
from unscribed.matching.select import select

FOLDER = Path(unscribed.__file__).parent


def _select(folder: Path, losses: list[float], seeds: list[int], rounds: int) -> dict:
    names = [str(number) for number in range(len(losses))]
    for name, loss in zip(names, losses, strict=True):
        write_json(folder / f"{name}.json", {"loss": loss})
        (folder / f"{name}.safetensors").write_bytes(f"model {name}".encode())
    select(
        losses=[str(folder / f"{name}.json") for name in names],
        models=[str(folder / f"{name}.safetensors") for name in names],
        seeds=seeds,
        rounds=rounds,
        selection=folder / "out/selection.json",
        model=folder / "out/model.safetensors",
    )
    return read_json(folder / "out/selection.json")


@pytest.mark.parametrize("best", range(6))
def test_the_lowest_loss_wins(tmp_path: Path, best: int) -> None:
    losses = [2.0, 1.75, 1.5, 1.25, 1.625, 1.375]
    losses[best] = 0.5
    found = _select(tmp_path, losses, [7, 3], 3)
    assert (tmp_path / "out/model.safetensors").read_bytes() == f"model {best}".encode()
    assert (found["seed"], found["round"], found["loss"]) == ([7, 3][best // 3], best % 3 + 1, 0.5)
    assert found["losses"] == {"7": min(losses[:3]), "3": min(losses[3:])}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["model.safetensors", "selection.json"]


def test_one_seed_one_round_and_ties(tmp_path: Path) -> None:
    assert _select(tmp_path, [0.25], [0], 1) == {"seed": 0, "round": 1, "loss": 0.25, "losses": {"0": 0.25}}
    assert _select(tmp_path, [0.25, 0.25], [0], 2)["round"] == 1  # the earlier one


def test_select_reads_losses_and_models_alone() -> None:
    wanted = {"losses", "models", "seeds", "rounds", "selection", "model"}
    assert set(inspect.signature(select).parameters) == wanted


PARTS = ("matching", "decoding")
MODULES = sorted(str(path.relative_to(FOLDER)) for part in PARTS for path in FOLDER.glob(f"{part}/*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_no_module_of_the_training_knows_of_references(name: str) -> None:
    """What reads transcripts lives in `corpora` and `evaluation`; neither the matching nor the decoder imports it."""
    tree = ast.parse((FOLDER / name).read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert not [name for name in imported if name and name.startswith(("unscribed.corpora", "unscribed.evaluation"))]
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    assert not [name for name in arguments if "reference" in name or "transcript" in name]

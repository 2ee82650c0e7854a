import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unscribed.artifacts import read_json, write_lines
from unscribed.errors import UserError
from unscribed.hmm.graph import phone_graph
from unscribed.hmm.model import HmmModel
from unscribed.hmm.tune import TOLERANCE, hmm_tune, hypothesis_perplexity
from unscribed.tables import PhoneTable
from unscribed.text.arpa import Arpa
from unscribed.text.silence import SilenceSettings
from unscribed.wfst.search import SearchSettings
from unscribed.wfst.tuning import GridSettings, TuningTable


@pytest.fixture
def arpa(tmp_path: Path) -> Arpa:
    """Unigrams: silence 0.5, a 0.25, end 0.25."""
    half, quarter = math.log10(0.5), math.log10(0.25)
    lines = ["\\data\\", "ngram 1=4", "\\1-grams:", "-99\t<s>", f"{half:.7f}\t<SIL>", f"{quarter:.7f}\ta"]
    write_lines(tmp_path / "lm.arpa", [*lines, f"{quarter:.7f}\t</s>", "\\end\\"])
    return Arpa.read(tmp_path / "lm.arpa")


@pytest.mark.parametrize(
    ("surround", "hypotheses", "expected"),
    [
        (True, [["a", "<SIL>", "a"]], (0.5 * 0.25 * 0.25 * 0.5 * 0.25) ** (-1 / 5)),
        (False, [["<SIL>", "a", "<SIL>", "a"]], 4.0),
        (True, [["a"], ["<SIL>"], []], (0.5 * 0.25 * 0.5 * 0.25) ** (-1 / 4)),  # what has no phone is left out
        (True, [["<SIL>"], []], math.inf),
        (False, [], math.inf),
    ],
)
def test_perplexity_by_hand(arpa: Arpa, surround: bool, hypotheses: list[list[str]], expected: float) -> None:
    found = hypothesis_perplexity(hypotheses, arpa, SilenceSettings(probability=0.3, surround=surround))
    assert found == pytest.approx(expected, rel=1e-5)


def _tune(world, train, tmp_path: Path, **changes):
    folder = world.folder
    model = train("mfcc", folder / "labels.parquet", 1)
    phone_graph(model=model, fst=folder / "phones.fst", graph=tmp_path / "graph.safetensors")
    given = {"features": folder / "mfcc.npy", "labels": folder / "labels.parquet"}
    given["grid"] = GridSettings(lm_weights=[2.0, 200.0], insertion_penalties=[0.0, 8.0], tune_utterances=10)
    hmm_tune(
        **given | {"partners": [], "partner_graphs": []} | changes,
        model=model,
        graph=tmp_path / "graph.safetensors",
        arpa=folder / "phones.arpa",
        search=SearchSettings(beam=12.0, max_active=500),
        silence=world.silence,
        seed=0,
        threads=1,
        tuning=tmp_path / "tuning.parquet",
        weights=tmp_path / "weights.json",
    )
    return TuningTable.read(tmp_path / "tuning.parquet"), read_json(tmp_path / "weights.json")


def test_fewest_edits_are_chosen(world, train, tmp_path: Path) -> None:
    """All four pairs, in order."""
    table, weights = _tune(world, train, tmp_path)
    pairs = table[["lm_weight", "insertion_penalty"]].to_numpy().tolist()
    assert pairs == [[2, 0], [2, 8], [200, 0], [200, 8]]
    assert table["score"].tolist() == table["edit_rate"].tolist()
    near = np.flatnonzero(table["edit_rate"] <= (1 + TOLERANCE) * table["edit_rate"].min())
    best = near[len(near) // 2]
    assert table["chosen"].tolist() == [place == best for place in range(4)]
    assert [weights["lm_weight"], weights["insertion_penalty"]] == pairs[best]
    assert table["edit_rate"].nunique() > 1 and table["perplexity"].nunique() > 1


@pytest.fixture
def partners(world, train, tmp_path: Path) -> dict[str, object]:
    """A copy of the model, as of a step that was passed over, and after it a model that hears the same."""
    model, twin = train("mfcc", world.folder / "labels.parquet", 1), tmp_path / "twin.safetensors"
    read = HmmModel.read(model)
    replace(read, mixtures=replace(read.mixtures, means=read.mixtures.means + np.float32(1e-6))).write(twin)
    graphs = [tmp_path / "no graph of the copy", tmp_path / "graph.safetensors"]
    return {"labels": None, "partners": [model, twin], "partner_graphs": graphs}


def test_models_are_compared_with_the_same_weights(world, train, tmp_path: Path, partners) -> None:
    """Two models that hear the same agree at all weights, as they would not with labels of one weight."""
    table, _ = _tune(world, train, tmp_path, **partners)
    assert table["edit_rate"].tolist() == [0.0] * 4
    assert table["perplexity"].nunique() > 1


def test_weights_with_which_nothing_is_decoded_are_not_chosen(world, train, tmp_path: Path, partners) -> None:
    """Two models that are both silent agree, too."""
    grid = GridSettings(lm_weights=[2.0], insertion_penalties=[1000.0, 0.0], tune_utterances=10)
    table, weights = _tune(world, train, tmp_path, grid=grid, **partners)
    assert table["perplexity"].tolist()[0] == math.inf
    assert weights["insertion_penalty"] == 0.0


def test_labels_of_other_utterances(world, train, tmp_path: Path) -> None:
    labels = tmp_path / "labels.parquet"
    columns = {"utterance": ["u00", "other"], "phones": [["<SIL>"], ["a"]], "starts_frames": [[0], [0]]}
    PhoneTable(**(columns | {"frames": [5, 5]})).write(labels)  # u00 has silence alone
    with pytest.raises(UserError, match=r"labels\.parquet has no phones for any utterance of .*mfcc\.npy"):
        _tune(world, train, tmp_path, labels=labels)

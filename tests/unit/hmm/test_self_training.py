"""Training, graphs, phone and word decoding together, in the toy language of helpers/toy_language.py."""

import itertools
import logging
from pathlib import Path
from types import SimpleNamespace

import kaldialign
import numpy as np
import pandas as pd
import pytest

from unscribed.artifacts import read_json
from unscribed.frames import FrameStore
from unscribed.hmm.decode import hmm_decode
from unscribed.hmm.graph import phone_graph, word_graph
from unscribed.hmm.model import HmmModel
from unscribed.hmm.tune import hmm_tune
from unscribed.hmm.words import words
from unscribed.tables import PhoneTable, WordTable
from unscribed.text.silence import strip_silence
from unscribed.wfst.nbest import NbestSettings
from unscribed.wfst.search import SearchSettings
from unscribed.wfst.tuning import GridSettings, TuningTable

SEARCH = SearchSettings(beam=15.0, max_active=500)
GRID = GridSettings(lm_weights=[2.0, 5.0], insertion_penalties=[0.0], tune_utterances=15)


def _errors(world, table: pd.DataFrame) -> float:
    """Phone error rate of the utterances whose true phones are known."""
    found = dict(zip(table["utterance"], table["phones"], strict=True))
    truth = {name: strip_silence(phones) for name, phones in world.phones.items()}
    wrong = sum(kaldialign.edit_distance(truth[name], strip_silence(found[name]))["total"] for name in truth)
    return wrong / sum(map(len, truth.values()))


@pytest.fixture(scope="module", params=["mfcc", "wav2vec"])
def trained(request: pytest.FixtureRequest, world, train) -> SimpleNamespace:
    """Two steps, on plain frames with the labels, and with LDA and networks on the first model's phones; then words."""
    store, folder = request.param, world.folder
    features, tables = folder / f"{store}.npy", []
    labels = folder / "labels.parquet"
    before: dict[str, Path] = {}  # the model of the step before, with its graph
    for step in (1, 2):
        model = train(store, labels, step)
        name = f"{store}-{step}"
        graph, weights, decoded = (folder / f"{name}.{kind}" for kind in ("graph", "weights.json", "decoded.parquet"))
        phone_graph(model=model, fst=folder / "phones.fst", graph=graph)
        search = {"features": features, "model": model, "graph": graph, "weights": weights, "search": SEARCH}
        hmm_tune(
            **search,
            grid=GRID,
            labels=folder / "labels.parquet" if step == 1 else None,
            partners=[before["model"]] if before else [],
            partner_graphs=[before["graph"]] if before else [],
            arpa=folder / "phones.arpa",
            silence=world.silence,
            seed=0,
            threads=1,
            tuning=folder / f"{name}.tuning.parquet",
        )
        hmm_decode(**search, threads=2, decoded=decoded)
        tables.append(PhoneTable.read(decoded))
        labels, before = decoded, {"model": model, "graph": graph}
    lexicon = {"lexiconp": folder / "lexiconp.txt", "word_symbols": folder / "words.txt"}
    graph = folder / f"{store}.words.graph"
    closed = {"spelling": None, "unknown_probability": 0.1}
    word_graph(model=model, fst=folder / "words.fst", silence=world.silence, graph=graph, **lexicon, **closed)
    words(
        features=features,
        model=model,
        graph=graph,
        weights=weights,
        settings=NbestSettings(lattice_beam=8.0, nbest=5),
        search=SEARCH,
        threads=2,
        words=folder / f"{store}.words.parquet",
        **lexicon,
    )
    table = WordTable.read(folder / f"{store}.words.parquet")
    return SimpleNamespace(store=store, model=model, weights=weights, graph=graph, phones=tables, words=table)


def test_phones_get_better_than_the_labels(world, trained) -> None:
    labels = _errors(world, PhoneTable.read(world.folder / "labels.parquet"))
    first, second = (_errors(world, table) for table in trained.phones)
    assert labels > 0.15 and first < 0.05 and second < 0.05
    store = FrameStore(world.folder / f"{trained.store}.npy")
    for row, frames in zip(trained.phones[1].itertuples(), np.diff(store.offsets), strict=True):
        assert row.frames == frames and len(row.phones) == len(row.starts_frames)
        starts = [*row.starts_frames, row.frames]
        assert not len(row.phones) or (starts[0] == 0 and (np.diff(starts) >= 2).all())  # two states each


def test_words(world, trained) -> None:
    table = trained.words.set_index("utterance")
    right = [list(table["words"][name]) == spoken for name, spoken in world.words.items()]
    assert np.mean(right) > 0.9
    heard = {word for name in world.words for word in table["words"][name]}
    assert heard == {"ab", "abc", "ba", "ca", "kah"}  # both homophones, told apart by their neighbours
    assert _errors(world, trained.words) < 0.03


def test_times_and_confidences_of_words(world, trained) -> None:
    for row in trained.words.itertuples():
        if row.status != "ok":
            continue
        edges, place = [*row.starts_frames, row.frames], 0
        for start, frames in zip(row.word_starts_frames, row.word_frames, strict=True):
            first = edges.index(start)
            last = edges.index(start + frames)
            assert set(row.phones[place:first]) <= {"<SIL>"}  # between words is nothing but silence
            assert "<SIL>" not in row.phones[first:last] and last > first
            place = last
        assert set(row.phones[place:]) <= {"<SIL>"}
        assert len(row.word_confidences) == len(row.words) == len(row.word_starts_frames)
        assert all(0 <= value <= 1 for value in row.word_confidences)


def test_n_best(trained) -> None:
    rows = [row for row in trained.words.itertuples() if row.status == "ok"]
    assert max(len(row.nbest) for row in rows) >= 3
    for row in rows:
        assert row.nbest[0] == " ".join(row.words)
        assert len(set(row.nbest)) == len(row.nbest) == len(row.nbest_scores) <= 5
        assert all(better >= worse for better, worse in itertools.pairwise(row.nbest_scores))


def test_too_short_an_utterance_has_no_path(trained, caplog: pytest.LogCaptureFixture) -> None:
    row = trained.words.set_index("utterance").loc["short"]
    assert row["status"] == "no_path" and row["frames"] == 1
    assert not any(len(row[name]) for name in ("words", "phones", "starts_frames", "nbest", "nbest_scores"))
    assert (trained.words["status"] == "ok").sum() == len(trained.words) - 1
    assert len(trained.phones[1].set_index("utterance").loc["short", "phones"]) == 0


def test_tuning_takes_the_fewest_edits(world, trained) -> None:
    """In the first step the edit rate is that of the phones to the labels, silences aside, of 15 random utterances."""
    table = TuningTable.read(world.folder / f"{trained.store}-2.tuning.parquet")
    assert table["lm_weight"].tolist() == [2.0, 5.0]
    np.testing.assert_allclose(table["score"], table["edit_rate"])
    assert table["chosen"].tolist() == [place == table["score"].idxmin() for place in range(2)]
    chosen = table[table["chosen"]].iloc[0]
    expected = {"lm_weight": chosen["lm_weight"], "insertion_penalty": 0.0, "score": chosen["score"]}
    assert read_json(trained.weights) == expected
    labels, decoded = (
        frame.set_index("utterance")["phones"].map(strip_silence)
        for frame in (PhoneTable.read(world.folder / "labels.parquet"), trained.phones[0])
    )
    names = labels.index[np.random.default_rng(0).permutation(len(labels))[:15]]
    edits = sum(kaldialign.edit_distance(labels[name], decoded[name])["total"] for name in names)
    first = TuningTable.read(world.folder / f"{trained.store}-1.tuning.parquet")
    chosen = first[first["chosen"]].iloc[0]
    assert chosen["edit_rate"] == edits / labels[names].map(len).sum()


def test_model_file(world, trained, tmp_path: Path) -> None:
    """A model that was written and read writes the same file and gives the same scores, by transition id."""
    model, store = HmmModel.read(trained.model), FrameStore(world.folder / f"{trained.store}.npy")
    model.write(tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").read_bytes() == trained.model.read_bytes()
    scores, again = model.scores(store, 3), HmmModel.read(tmp_path / "model.safetensors").scores(store, 3)
    np.testing.assert_array_equal(scores, again)
    assert scores.shape == (store.offsets[4] - store.offsets[3], model.topology.transitions.num_transition_ids + 1)
    # 20 ms on each side: two frames of 10 ms, one of 20 ms
    assert (model.front_end.dims, model.front_end.context) == ((13, 2) if trained.store == "mfcc" else (32, 1))


def test_same_seed_same_model(world, train, trained) -> None:
    before = trained.model.read_bytes()
    assert train(trained.store, world.folder / f"{trained.store}-1.decoded.parquet", 2).read_bytes() == before


def test_training_without_realignment(world, train) -> None:
    model = HmmModel.read(train("wav2vec", world.folder / "labels.parquet", 1, realign=0))
    assert model.topology.counts is None
    assert np.isfinite(model.scores(FrameStore(world.folder / "wav2vec.npy"), 0)).all()


def test_failures_are_logged(world, trained, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    hmm_decode(
        features=world.folder / f"{trained.store}.npy",
        model=trained.model,
        graph=world.folder / f"{trained.store}-2.graph",
        weights=trained.weights,
        search=SEARCH,
        threads=1,
        decoded=tmp_path / "decoded.parquet",
    )
    assert "1 utterances without a path, for example short" in caplog.text
    decoded = PhoneTable.read(tmp_path / "decoded.parquet")
    pd.testing.assert_frame_equal(decoded, trained.phones[1])  # threads change nothing

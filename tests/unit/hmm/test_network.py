from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.toy_language import NETWORK

from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.hmm.labels import Labelled
from unscribed.hmm.network import FOLDS, PRIOR_WEIGHT, WEIGHT, LabelledFrames, fold_of, hidden, train_networks

PHONES = 3
TRUTH = np.tile([0, 1, 2, 1], 3)  # every phone lasts 10 frames


def store_of(folder, count: int) -> FrameStore:
    rng, centres = np.random.default_rng(0), np.eye(PHONES)
    with FrameWriter(folder / "store.npy", {"hop_ms": 10.0}) as writer:
        for number in range(count):
            writer.append(f"u{number}", 4 * centres[np.repeat(TRUTH, 10)] + rng.normal(size=(120, PHONES)))
    return FrameStore(folder / "store.npy")


def labelled(store: FrameStore, ids: dict[int, np.ndarray]) -> list[Labelled]:
    return [Labelled(number, ids.get(number, TRUTH) + 1, np.arange(12) * 10) for number in range(len(store))]


def test_an_utterance_is_scored_by_the_network_that_did_not_learn_its_label(tmp_path) -> None:
    """Whose label was wrong on one side alone: its own network, taught by the others, is not misled by it."""
    store = store_of(tmp_path, 16)
    first = [number for number in range(16) if fold_of(store.utterances[number]) == 0]
    wrong = dict.fromkeys(first, (TRUTH + 1) % PHONES)  # all of the first fold
    scale = np.full(PHONES, 2.0, dtype=np.float32)
    networks = train_networks(store, labelled(store, wrong), scale, PHONES, NETWORK, seed=0, threads=1)
    frames = np.repeat(TRUTH, 10)
    for number in range(16):
        found = networks.scores(store, number)
        assert found.shape == (120, PHONES) and found.dtype == np.float32
        expected = frames if number in wrong else (frames + 1) % PHONES
        assert (found.argmax(1) == expected).mean() > 0.9
    network, prior = networks.networks[0], networks.log_priors[0]
    with torch.inference_mode():
        x = torch.from_numpy(store[first[0]] / scale)[None]
        outputs = network(x, torch.tensor([120]))[0][0].log_softmax(-1).numpy()  # every second frame
    found = networks.scores(store, first[0])
    np.testing.assert_allclose(found[::2], WEIGHT * (outputs - PRIOR_WEIGHT * prior), atol=1e-5)
    np.testing.assert_array_equal(found[1::2], found[::2])
    np.testing.assert_allclose(np.exp(prior).sum(), 1, atol=1e-6)


def test_an_utterance_that_no_network_has_learned_is_scored_by_all(tmp_path) -> None:
    """The labels of one fold are wrong, so its network contradicts the other: both count for a new utterance."""
    store = store_of(tmp_path, 17)
    first = dict.fromkeys((number for number in range(16) if fold_of(f"u{number}") == 0), (TRUTH + 1) % PHONES)
    items, scale = labelled(store, first)[:16], np.full(PHONES, 2.0, dtype=np.float32)
    networks = train_networks(store, items, scale, PHONES, NETWORK, seed=0, threads=1)
    assert networks.unbiased("u16") == range(FOLDS) and networks.unbiased("u3") == [fold_of("u3")]
    alone = [
        replace(networks, networks=[one] * FOLDS, log_priors=networks.log_priors[[fold] * FOLDS])
        for fold, one in enumerate(networks.networks)
    ]
    mean = np.mean([one.scores(store, 16) for one in alone], axis=0)
    assert np.abs(alone[0].scores(store, 16) - alone[1].scores(store, 16)).max() > 1
    np.testing.assert_allclose(networks.scores(store, 16), mean, atol=1e-4)


def test_folds_depend_on_the_name_alone_and_are_of_like_size() -> None:
    folds = np.array([fold_of(f"speaker-{number}") for number in range(400)])
    assert set(folds) == set(range(FOLDS)) and 160 < (folds == 0).sum() < 240
    assert folds[7] == fold_of("speaker-7")


def test_labels_last_until_the_next_one_or_the_end(tmp_path) -> None:
    store = store_of(tmp_path, 1)
    item = Labelled(0, np.array([2, 1], dtype=np.int32), np.array([0, 100]))
    data = LabelledFrames(store, [item], np.ones(PHONES, dtype=np.float32))
    assert data.labels[0].tolist() == [1] * 100 + [0] * 20
    x, labels, lengths = data.batch(NETWORK, np.random.default_rng(1))
    assert (
        len(x) == NETWORK.batch_utterances and (lengths <= 118).all() and set(labels.unique().tolist()) <= {-100, 0, 1}
    )


def test_hidden_parts_are_as_long_as_asked_for() -> None:
    x = torch.ones(50, 40, 30)
    frames = (hidden(x, 1, 6, np.random.default_rng(0)) == 0).all(2).sum(1)
    features = (hidden(x, 2, 4, np.random.default_rng(0)) == 0).all(1).sum(1)
    assert frames.max() == 6 and features.max() == 4 and frames.min() == features.min() == 0


def test_too_few_utterances_are_told(tmp_path) -> None:
    store = store_of(tmp_path, 1)
    with pytest.raises(UserError, match=r"store\.npy has 1 utterance.*hmm\.steps"):
        train_networks(
            store, labelled(store, {}), np.ones(PHONES, dtype=np.float32), PHONES, NETWORK, seed=0, threads=1
        )

"""Cross-labelling: folds of utterances, and Gaussians that score what they have not learned from."""

from pathlib import Path

import numpy as np
import pytest
from helpers.tables import filled
from helpers.toy_language import NETWORK

from unscribed.artifacts import write_lines
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.hmm.folds import FOLDS, fold_of, keys_of, unseen_by
from unscribed.hmm.model import HmmModel
from unscribed.hmm.train import TrainSettings, hmm_train
from unscribed.tables import PhoneTable

SETTINGS = TrainSettings(states=1, iterations=2, realign=0, lda_dims=2, lda_context_ms=20.0, max_memory_mb=500)
STARTS = np.arange(8) * 10
SPOKEN = ["a", "b"] * 4  # 10 frames each; a sounds like +2, b like -2


def trained(folder: Path, count: int, kind: str) -> tuple[HmmModel, FrameStore]:
    """A model of `count` utterances, whose labels are exchanged in the first fold, and a store with one more."""
    rng = np.random.default_rng(0)
    sound = np.repeat(np.where(np.array(SPOKEN) == "a", 2.0, -2.0), 10)[:, None]
    with FrameWriter(folder / "store.npy", {"hop_ms": 10.0}) as writer:
        for number in range(count + 1):
            writer.append(f"u{number}", sound + rng.normal(size=(80, 2)).astype(np.float32))
    names = [f"u{number}" for number in range(count)]
    labels = [SPOKEN[::-1] if fold_of(name) == 0 else SPOKEN for name in names]
    table = filled(PhoneTable, utterance=names, phones=labels, starts_frames=[STARTS] * count, frames=[80] * count)
    table.write(folder / "labels.parquet")
    write_lines(folder / "phones.txt", ["<SIL>", "a", "b"])
    hmm_train(
        features=folder / "store.npy",
        labels=folder / "labels.parquet",
        phones=folder / "phones.txt",
        kind={"features": kind, "gaussians": 4, "network": False, "cross": True},
        settings=SETTINGS,
        network=NETWORK,
        seed=0,
        threads=1,
        model=folder / "model.safetensors",
    )
    return HmmModel.read(folder / "model.safetensors"), FrameStore(folder / "store.npy")


def test_folds_depend_on_the_name_alone_and_are_of_like_size() -> None:
    folds = np.array([fold_of(f"speaker-{number}") for number in range(400)])
    assert set(folds) == set(range(FOLDS)) and 160 < (folds == 0).sum() < 240
    assert folds[7] == fold_of("speaker-7")


def test_what_was_learned_is_scored_by_its_own_fold_and_what_is_new_by_all() -> None:
    learned = keys_of(["b", "a", "b"])
    assert len(learned) == 2 and unseen_by("c", learned) == range(FOLDS)
    assert unseen_by("a", learned) == [fold_of("a")]
    assert unseen_by("a", keys_of([])) == range(FOLDS)


@pytest.mark.parametrize("kind", ["frames", "lda"])
def test_gaussians_are_not_misled_by_labels_that_they_are_to_mend(tmp_path: Path, kind: str) -> None:
    """Those of the first fold are wrong: it is heard by who learned from the right ones, the other one the reverse."""
    model, store = trained(tmp_path, 16, kind)
    a, b = (int(model.topology.first_pdf[place]) for place in (1, 2))
    says_a = np.repeat(np.array(SPOKEN) == "a", 10)
    assert len(model.gaussians) == FOLDS
    for number in range(16):
        scores = model.log_likelihoods(store, number)
        right = ((scores[:, a] > scores[:, b]) == says_a).mean()
        assert right > 0.9 if fold_of(f"u{number}") == 0 else right < 0.1
    both = [part.log_likelihoods(store, 16) for part in model.gaussians]
    np.testing.assert_allclose(model.log_likelihoods(store, 16), np.mean(both, axis=0), rtol=1e-5)


def test_too_few_utterances_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has 1 utterance.*hmm\.steps without `network` and `cross`"):
        trained(tmp_path, 1, "frames")

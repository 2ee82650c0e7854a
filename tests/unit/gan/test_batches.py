from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from unscribed.artifacts import write_lines
from unscribed.errors import UserError
from unscribed.frames import FrameStore, FrameWriter
from unscribed.gan.batches import WINDOW_BATCHES, RandomStreams, Sequences, read_segments, read_sentences, read_targets

CPU = torch.device("cpu")
PHONES = ["<SIL>", "a", "b"]


def _of_lengths(lengths: Sequence[int]) -> Sequences:
    return Sequences(np.arange(sum(lengths)), np.cumsum([0, *lengths]), CPU)


def test_batch_pads_with_zeros() -> None:
    rows = np.arange(1, 13, dtype=np.float32).reshape(6, 2)
    sequences = Sequences(rows, np.array([0, 1, 4, 4, 6]), CPU)
    assert len(sequences) == 4
    found, lengths = sequences.batch(torch.tensor([[3, 0], [1, 2]]))
    assert lengths.tolist() == [[2, 1], [3, 0]]
    assert found.tolist() == [
        [[[9, 10], [11, 12], [0, 0]], [[1, 2], [0, 0], [0, 0]]],
        [[[3, 4], [5, 6], [7, 8]], [[0, 0], [0, 0], [0, 0]]],
    ]
    ids, lengths = Sequences(np.array([5, 6, 7]), np.array([0, 1, 3]), CPU).batch(torch.tensor([[0, 1, 0]]))
    assert ids.tolist() == [[[5, 0], [6, 7], [5, 0]]]
    assert ids.dtype == torch.long
    assert lengths.tolist() == [[1, 2, 1]]


def test_draw_gives_neighbours_in_length_the_same_for_audio_and_text() -> None:
    rng, size = np.random.default_rng(0), 10
    audio, text = (_of_lengths(rng.permutation(1000) + 1) for _ in range(2))
    drawn = np.zeros(1000, dtype=int)
    for update in range(1500):
        lengths = [
            one.batch(one.draw(RandomStreams([1, 2, 3], update, CPU), size))[1].reshape(-1).numpy()
            for one in (audio, text)
        ]
        both = np.concatenate(lengths)
        assert np.ptp(both) < size * WINDOW_BATCHES
        drawn += np.bincount(lengths[0] - 1, minlength=1000)
    assert (drawn > 0).all()  # the shortest and the longest, too


def test_draw_of_a_run_follows_from_its_seed_and_the_update() -> None:
    sequences = _of_lengths(range(1, 400))

    def draw(seeds: list[int], update: int) -> torch.Tensor:
        return sequences.draw(RandomStreams(seeds, update, CPU), 20)

    together = draw([7, 8, 9], 5)
    assert torch.equal(together, torch.cat([draw([seed], 5) for seed in (7, 8, 9)]))
    assert len({tuple(row) for row in together.tolist()} | {tuple(draw([7], 6)[0].tolist())}) == 4
    few = _of_lengths([3, 1, 2])  # fewer than a batch: some come twice
    assert set(few.draw(RandomStreams([0], 0, CPU), 50).reshape(-1).tolist()) == {0, 1, 2}


def test_random_numbers_are_the_same_alone_and_whatever_the_others_lengths() -> None:
    lengths = torch.tensor([[3, 7], [20, 1], [5, 5]])

    def draw(runs: list[int], lengths: torch.Tensor) -> list[torch.Tensor]:
        streams = RandomStreams([10 + run for run in runs], 4, CPU)
        return [
            streams.integers(1000, 8),
            streams.uniform(8),
            streams.uniform_padded(lengths),
            streams.dropout(lengths, 3, 0.2),
            streams.uniform(8),  # the state after all of it
        ]

    together = draw([0, 1, 2], lengths)
    longest = [7, 20, 5]
    for run in range(3):
        for found, alone in zip(together, draw([run], lengths[run : run + 1]), strict=True):
            mine = found[run : run + 1]
            if found.ndim > 2:
                assert not mine[:, :, longest[run] :].any()
                mine = mine[:, :, : longest[run]]
            assert torch.equal(mine, alone)
    shorter = draw([0, 1, 2], torch.tensor([[3, 7], [2, 1], [9, 5]]))
    assert torch.equal(shorter[2][0, :, :7], together[2][0, :, :7])
    assert torch.equal(shorter[3][0, :, :7], together[3][0, :, :7])


def test_random_numbers_have_the_documented_values() -> None:
    streams, lengths = RandomStreams([0, 1], 0, CPU), torch.full((2, 50), 100)
    mask = streams.dropout(lengths, 8, 0.2)
    assert mask.shape == (2, 50, 100, 8)
    assert mask.unique().tolist() == pytest.approx([0, 1.25])
    assert mask.mean((1, 2, 3)).tolist() == pytest.approx([1, 1], abs=0.01)
    for uniform in (streams.uniform_padded(lengths).flatten(1), streams.uniform(5000)):
        assert 0 <= uniform.min() < 0.01 < 0.99 < uniform.max() < 1
        assert uniform.mean(1).tolist() == pytest.approx([0.5, 0.5], abs=0.02)
    assert set(streams.integers(3, 100).reshape(-1).tolist()) == {0, 1, 2}
    quantiles = [RandomStreams([], update, CPU).quantile for update in range(200)]
    assert 0 <= min(quantiles) < 0.03 < 0.97 < max(quantiles) < 1


def test_read_sentences(tmp_path: Path) -> None:
    write_lines(tmp_path / "text.txt", ["<SIL> a b", "b"])
    sentences = read_sentences(tmp_path / "text.txt", PHONES, CPU)
    found, lengths = sentences.batch(torch.tensor([[0, 1]]))
    assert found.tolist() == [[[0, 1, 2], [2, 0, 0]]]
    assert lengths.tolist() == [[3, 1]]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a b", "a x y"], r"text\.txt has the phones x, y, which are not in the inventory.*run the stage phonemize"),
        (["a a", "a"], r"text\.txt consists of one phone.*corpus\.language"),
        ([], r"text\.txt consists of nothing.*corpus\.language"),
    ],
)
def test_read_sentences_refuses_bad_text(tmp_path: Path, lines: list[str], message: str) -> None:
    write_lines(tmp_path / "text.txt", lines)
    with pytest.raises(UserError, match=message):
        read_sentences(tmp_path / "text.txt", PHONES, CPU)


def _write_segments(path: Path, broken: float = 0.0) -> list[np.ndarray]:
    frames = [np.ones((length, 2), dtype=np.float32) * length for length in (2, 0, 3)]
    frames[2][0, 1] = broken
    with FrameWriter(path) as writer:
        for name, rows in zip(("first", "empty", "last"), frames, strict=True):
            writer.append(name, rows)
    return frames


def test_read_segments(tmp_path: Path) -> None:
    frames = _write_segments(tmp_path / "segments.npy")
    sequences = read_segments(tmp_path / "segments.npy", CPU)
    for number, rows in enumerate(frames):
        found, lengths = sequences.batch(torch.tensor([[number]]))
        assert lengths.tolist() == [[len(rows)]]
        assert found[0, 0].tolist() == rows.tolist()


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_read_segments_refuses_nan(tmp_path: Path, broken: float) -> None:
    _write_segments(tmp_path / "segments.npy", broken)
    with pytest.raises(UserError, match=r"segments\.npy.*utterance last have NaN.*features/.*run its stage again"):
        read_segments(tmp_path / "segments.npy", CPU)


def _stores(folder: Path, hop_ms: float, frames: int, target_hop_ms: float, targets: int) -> tuple[FrameStore, Path]:
    """Frames of the utterances b and a, and targets 0, 1, 2, … of a and 100, 101, … of b, each with its hop."""
    with FrameWriter(folder / "audio.npy", {"hop_ms": hop_ms}) as writer:
        for utterance in ("b", "a"):
            writer.append(utterance, np.zeros((frames, 2), np.float32))
    metadata = {"hop_ms": target_hop_ms, "clusters": 200}
    with FrameWriter(folder / "targets.npy", metadata, "int32") as writer:
        for utterance, first in (("a", 0), ("b", 100)):
            writer.append(utterance, first + np.arange(targets, dtype=np.int32)[:, None])
    return FrameStore(folder / "audio.npy"), folder / "targets.npy"


@pytest.mark.parametrize(
    ("hop_ms", "target_hop_ms", "targets", "wanted"),
    [
        (10.0, 10.0, 4, [0, 1, 2, 3]),
        (20.0, 10.0, 9, [1, 3, 5, 7]),  # MFCCs for wav2vec 2.0: middles at 10, 30, 50 and 70 ms
        (20.0, 10.0, 7, [1, 3, 5, 6]),  # the last frame's middle is after the end
        (15.0, 10.0, 6, [0, 2, 3, 5]),  # 7.5, 22.5, 37.5, 52.5 ms
        (10.0, 20.0, 2, [0, 0, 1, 1]),
    ],
)
def test_targets_are_aligned_by_time_and_by_name(
    tmp_path: Path, hop_ms: float, target_hop_ms: float, targets: int, wanted: list[int]
) -> None:
    audio, path = _stores(tmp_path, hop_ms, 4, target_hop_ms, targets)
    found, clusters = read_targets(path, audio, CPU)
    ids, lengths = found.batch(torch.tensor([[0, 1]]))
    assert ids.tolist() == [[[100 + number for number in wanted], wanted]]
    assert lengths.tolist() == [[4, 4]] and clusters == 200


def test_targets_of_other_audio_are_refused(tmp_path: Path) -> None:
    audio, path = _stores(tmp_path, 20.0, 4, 10.0, 12)
    with pytest.raises(UserError, match=r"utterance b has 12 pseudo-labels for 4 frames .* different audio\. Run"):
        read_targets(path, audio, CPU)
    with FrameWriter(tmp_path / "few.npy", {"hop_ms": 10.0}, "int32") as writer:
        writer.append("a", np.zeros((8, 1), np.int32))
    with pytest.raises(UserError, match=r"few\.npy has no utterance b of .* Run the stage gan again"):
        read_targets(tmp_path / "few.npy", audio, CPU)

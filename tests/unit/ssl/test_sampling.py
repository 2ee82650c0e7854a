from types import SimpleNamespace

import numpy as np
import pytest

from unscribed.ssl.sampling import Languages, Stream


class Spoken(SimpleNamespace):
    """Speech without files: every sample of utterance number i is i, and then a ramp."""

    sample_rate_hz = 16000

    def __len__(self):
        return len(self.lengths)

    def __getitem__(self, number):
        return np.arange(self.lengths[number], dtype=np.float32) + 1000 * number


def languages(*lengths, alpha=1.0, batch=100, samples=1000, shortest=1, seed=0):
    speech = [Spoken(lengths=np.array(part)) for part in lengths]
    return Languages([f"l{number}" for number in range(len(speech))], speech, shortest, samples, alpha, batch, seed)


def test_languages_are_drawn_by_their_hours_to_the_power_of_alpha():
    found = languages([10] * 160, [10] * 40, alpha=0.5)
    assert found.probabilities == pytest.approx([2 / 3, 1 / 3])  # sqrt(0.8) : sqrt(0.2) = 2 : 1
    members = np.concatenate([batch.members for batch in found.batches(0)])
    assert np.bincount(members[:, 0]).tolist() == [133, 67]
    small = np.bincount(members[members[:, 0] == 1, 1])
    assert small.min() == 1 and small.max() == 2  # once all, then a part again
    large = members[members[:, 0] == 0, 1]
    assert len(set(large.tolist())) == 133  # none twice while others wait
    assert languages([10] * 160, [10] * 40, alpha=0.0).probabilities == pytest.approx([0.5, 0.5])


def test_batches_hold_each_utterance_once_and_as_much_as_fits():
    generator = np.random.default_rng(0)
    lengths = generator.integers(5, 60, size=300)
    found = languages(lengths, samples=50)
    batches = found.batches(3)
    members = np.concatenate([batch.members for batch in batches])
    assert sorted(members[:, 1].tolist()) == list(range(300))
    for batch in batches:
        cropped = np.minimum(lengths[batch.members[:, 1]], 50)
        assert batch.samples == cropped.min() and len(cropped) * batch.samples <= 100
    kept = sum(len(batch.members) * batch.samples for batch in batches)
    assert kept > 0.9 * np.minimum(lengths, 50).sum()  # little is cropped away


def test_short_utterances_are_left_out_and_a_language_needs_one():
    found = languages([5, 20, 30], shortest=20)
    assert found.left_out == [1] and found.amounts.tolist() == [50]
    with pytest.raises(ValueError, match="l1"):
        languages([50], [5], shortest=20)


def test_crops_are_normalised_whole_and_lie_anywhere():
    found = languages([40, 60, 80], batch=1000)
    (batch,) = found.batches(0)
    assert batch.samples == 40
    firsts = set()
    for seed in range(50):
        waves = found.waves(batch, np.random.default_rng(seed))
        assert waves.shape == (3, 40) and waves.dtype == np.float32
        longest = waves[[member.tolist() for member in batch.members].index([0, 2])]
        firsts.add(round(float(longest[0]), 4))
        assert np.ptp(longest) == pytest.approx(39 / np.arange(80).std(), rel=1e-3)  # of the whole, not of the crop
    assert len(firsts) > 15


def test_the_stream_goes_through_the_epochs_and_starts_anywhere():
    found = languages(np.random.default_rng(1).integers(5, 60, size=50))
    per_epoch = [found.batches(epoch) for epoch in range(3)]
    whole = [batch.members.tolist() for epoch in per_epoch for batch in epoch]
    stream = Stream(found)
    assert [stream[number].members.tolist() for number in range(len(whole))] == whole
    late = Stream(found)
    assert late[len(whole) - 1].members.tolist() == whole[-1]
    assert whole[: len(per_epoch[0])] != whole[len(per_epoch[0]) : 2 * len(per_epoch[0])]

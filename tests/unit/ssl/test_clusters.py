import copy

import numpy as np
import pytest
import torch
from helpers.tones import RATE, SIZES, tone, write_corpus
from safetensors.numpy import load_file
from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

from unscribed.artifacts import write_tensors
from unscribed.errors import UserError
from unscribed.segmentation.kmeans import KmeansSettings
from unscribed.ssl.checkpoint import load
from unscribed.ssl.clusters import ClusterModel, ClusterObjective
from unscribed.ssl.encode import hidden_states
from unscribed.ssl.model_config import hubert_config, read_model_config
from unscribed.ssl.targets import Targets, fit_targets, frames_from
from unscribed.ssl.waveform import normalized

KERNELS, STRIDES = SIZES["conv_kernel"], SIZES["conv_stride"]
KMEANS = KmeansSettings(clusters=16, iterations=20, restarts=3, max_frames=5000)  # four tones, and the changes between
ENCODER = "conv_dim: [16, 16, 16]\nconv_kernel: [10, 8, 8]\nconv_stride: [5, 8, 8]\n"


@pytest.fixture
def corpus(tmp_path):
    """Arguments of the stage for words of four tones, each 0.1 s long."""
    generator = np.random.default_rng(0)
    texts = {f"u{number}": "".join(generator.choice(list("abcd"), size=12)) for number in range(20)}
    place = write_corpus(tmp_path / "x", texts)
    (tmp_path / "sizes.yaml").write_text(ENCODER)
    return {
        "manifests": [str(place["manifest"])],
        "vads": [str(place["vad"])],
        "sizes": tmp_path / "sizes.yaml",
        "teacher": "mfcc",
        "layer": 0,
        "settings": KMEANS,
        "seed": 0,
        "sample_rate_hz": RATE,
        "threads": 1,
        "targets": tmp_path / "targets.safetensors",
    }


@pytest.fixture
def teacher(tmp_path):
    """A folder of a small random HuBERT."""
    torch.manual_seed(0)
    HubertModel(HubertConfig(**SIZES)).save_pretrained(tmp_path / "teacher")
    Wav2Vec2FeatureExtractor(sampling_rate=RATE, do_normalize=True).save_pretrained(tmp_path / "teacher")
    return str(tmp_path / "teacher")


def waves(letters, copies=1):
    return np.stack([normalized(tone(letters))] * copies)


def test_every_tone_gets_a_cluster_of_its_own_at_its_time(corpus):
    fit_targets(**corpus)
    assert load_file(corpus["targets"])["centroids"].shape == (16, 39)
    targets = Targets(corpus["targets"], frames_from("mfcc", 0, KERNELS, STRIDES, RATE, "cpu"))
    found = targets(waves("abcdabcd", copies=2), 39)
    assert found.shape == (2, 39) and found.dtype == np.int64 and (found[0] == found[1]).all()
    middles = found[0, [2, 7, 12, 17, 22, 27, 32, 37]]  # frame t is centred on (12.9 + 20 t) ms
    assert len(set(middles[:4])) == 4 and middles[:4].tolist() == middles[4:].tolist()


def test_nearest_cluster_by_hand(tmp_path):
    centroids = np.array([[0.0, 0.0], [10.0, 1.0]], np.float32)
    write_tensors(tmp_path / "targets", {"centroids": centroids, "scale": np.array([10.0, 1.0], np.float32)})
    frames = np.array([[[6.0, 0.0], [4.0, 1.0]]], np.float32)  # scaled: (0.6, 0) and (0.4, 1); centroids (0, 0), (1, 1)
    targets = Targets(tmp_path / "targets", lambda waves, count: frames)
    assert targets(np.zeros((1, 1)), 2).tolist() == [[0, 1]]
    assert targets.clusters == 2
    write_tensors(tmp_path / "others", {"centroids": centroids + 1, "scale": np.ones(2, np.float32)})
    assert Targets(tmp_path / "others", lambda waves, count: frames).digest != targets.digest


def test_states_of_an_earlier_model_are_clustered(corpus, teacher):
    fit_targets(**{**corpus, "teacher": teacher, "layer": 1})
    assert load_file(corpus["targets"])["centroids"].shape == (16, SIZES["hidden_size"])
    source = frames_from(teacher, 1, KERNELS, STRIDES, RATE, "cpu")
    heard = waves("abcd", copies=2)
    states, frames = hidden_states(load(teacher, RATE), torch.from_numpy(heard), torch.tensor([heard.shape[1]] * 2), 1)
    assert np.allclose(source(heard, int(frames[0])), states.numpy(), atol=1e-6)


def test_what_does_not_fit_is_refused(corpus, teacher):
    with pytest.raises(UserError, match=r"frames are too few for pretrain\.clusters 5000: lower pretrain\.clusters"):
        fit_targets(**{**corpus, "settings": KmeansSettings(5000, 1, 1, 5000)})
    with pytest.raises(UserError, match=r"pretrain\.targets: .* a frame of \d+ samples every 320, .* every 160"):
        frames_from(teacher, 1, [10, 8, 4], [5, 8, 4], RATE, "cpu")
    with pytest.raises(UserError, match=r"pretrain\.targets_layer: 3"):
        frames_from(teacher, 3, KERNELS, STRIDES, RATE, "cpu")
    with pytest.raises(UserError, match=r"pretrain\.targets: .*nowhere"):
        frames_from("./nowhere", 1, KERNELS, STRIDES, RATE, "cpu")
    Wav2Vec2FeatureExtractor(sampling_rate=RATE, do_normalize=False).save_pretrained(teacher)
    with pytest.raises(UserError, match=r"pretrain\.targets: .*do_normalize: false"):
        frames_from(teacher, 1, KERNELS, STRIDES, RATE, "cpu")


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(0)
    write_tensors(tmp_path / "targets", {"centroids": np.eye(3, 2, dtype=np.float32), "scale": np.ones(2, np.float32)})
    targets = Targets(tmp_path / "targets", lambda waves, count: np.zeros((len(waves), count, 2), np.float32))
    quiet = dict.fromkeys(("hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout"), 0.0)
    return ClusterModel(HubertModel(HubertConfig(**SIZES, **quiet)), ClusterObjective(0.5), targets).eval()


def test_losses_by_hand(model):
    heard = torch.from_numpy(waves("abcd", copies=2))
    masks = torch.zeros(2, 19, dtype=torch.bool)
    masks[0, 3:8] = masks[1, 5:10] = True
    clusters = torch.arange(38).view(2, 19) % 3
    with torch.no_grad():
        for weight in (model.head.weight, model.head.bias):
            weight.zero_()
        model.head.bias[1] = np.log(2.0)  # always cluster 1, with half of the probability
        found = model(heard, masks, clusters)
    odds = {name: clusters[where] == 1 for name, where in (("masked", masks), ("unmasked", ~masks))}
    for name, right in odds.items():
        share = float(right.float().mean())
        assert float(found[name]) == pytest.approx(share * np.log(2) + (1 - share) * np.log(4), rel=1e-5)
        assert float(found["accuracy" if name == "masked" else "unmasked_accuracy"]) == pytest.approx(share)
    assert float(found["loss"]) == pytest.approx(float(found["masked"]) + 0.5 * float(found["unmasked"]), rel=1e-6)
    assert found["usage"].tolist() == [[0.0, 1.0, 0.0]]


def test_a_batch_that_is_masked_throughout_has_a_loss(model):
    heard, masks = torch.from_numpy(waves("abcd")), torch.ones(1, 19, dtype=torch.bool)
    found = model.train()(heard, masks, torch.zeros(1, 19, dtype=torch.long))
    assert found["unmasked"].item() == 0.0 and found["loss"].item() == pytest.approx(found["masked"].item())
    found["loss"].backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in model.parameters())


def test_masked_frames_are_hidden_and_the_passes_are_those_of_transformers(model):
    heard, masks = torch.from_numpy(waves("abcd")), torch.zeros(1, 19, dtype=torch.bool)
    masks[0, 4:9] = True
    seen = []
    model.head.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.no_grad():
        model(heard, masks, torch.zeros(1, 19, dtype=torch.long))
        model.model.config.apply_spec_augment = True
        training = copy.deepcopy(model.model).train()  # transformers masks in training alone
        expected = training(heard, mask_time_indices=masks).last_hidden_state
    assert torch.allclose(seen[0], expected, atol=1e-5)


def test_sizes_are_those_of_wav2vec(tmp_path):
    (tmp_path / "sizes.yaml").write_text("hidden_size: 32\nnum_attention_heads: 4\nnum_codevectors_per_group: 8\n")
    config = hubert_config(read_model_config(tmp_path / "sizes.yaml"))
    assert (config.model_type, config.hidden_size, config.num_attention_heads) == ("hubert", 32, 4)
    assert not hasattr(config, "num_codevectors_per_group")

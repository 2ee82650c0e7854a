from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2ForPreTraining

from unscribed.ssl.contrastive import ContrastiveModel, Objective, perplexities
from unscribed.ssl.masking import distractors, span_masks

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "conv_dim": [8, 8],
    "conv_kernel": [10, 4],
    "conv_stride": [5, 4],
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
    "num_codevectors_per_group": 6,
    "num_codevector_groups": 2,
    "codevector_dim": 8,
    "proj_codevector_dim": 8,
    "hidden_dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "layerdrop": 0.0,
}
PUBLISHED = Objective(
    negatives=100,
    contrastive_temperature=0.1,
    diversity_weight=0.1,
    features_penalty=10.0,
    encoder_gradient=0.1,
    gumbel_temperature=[2.0, 0.5],
)


@pytest.fixture(params=[{}, {"feat_extract_norm": "layer", "do_stable_layer_norm": True}], ids=["base", "large"])
def model(request):
    torch.manual_seed(0)
    return ContrastiveModel(Wav2Vec2ForPreTraining(Wav2Vec2Config(**SMALL, **request.param)), PUBLISHED)


@pytest.fixture
def batch():
    generator = np.random.default_rng(0)
    masks = span_masks(99, 3, 0.65, 10, generator)
    others = distractors(masks, 12, generator)
    waves = torch.randn(3, 2000, generator=torch.Generator().manual_seed(0))
    return waves, torch.from_numpy(masks), torch.from_numpy(others)


def of_transformers(model, waves, masks, others):
    """The same batch through transformers' own loss, which numbers distractors through the whole batch."""
    negatives = torch.zeros(*masks.shape, others.shape[2], dtype=torch.long)
    for row, mask in enumerate(masks):
        places = mask.nonzero()[:, 0]
        negatives[row][mask] = row * masks.shape[1] + places[others[row, : len(places)]]
    return model.model(waves, mask_time_indices=masks, sampled_negative_indices=negatives)


def test_loss_equals_that_of_transformers(model, batch):
    model.eval()
    with torch.no_grad():
        ours, theirs = model(*batch, 1.0), of_transformers(model, *batch)
    total = int(batch[1].sum())
    assert float(ours["contrastive"]) == pytest.approx(float(theirs.contrastive_loss) / total, rel=1e-4)
    # The published code penalises the mean perplexity of the codebooks, transformers the sum of all: the same share.
    assert float(ours["diversity"]) == pytest.approx(float(theirs.diversity_loss) / total, rel=1e-4)
    expected = ours["contrastive"] + 0.1 * ours["diversity"] + 10 * ours["penalty"]
    assert float(ours["loss"]) == pytest.approx(float(expected), rel=1e-5)


def test_distractors_with_the_codes_of_the_target_do_not_count(model, batch):
    with torch.no_grad():
        model.model.quantizer.weight_proj.weight.zero_()  # every frame gets the first code
        found = model.eval()(*batch, 1.0)
    assert float(found["contrastive"]) == 0.0
    assert perplexities(found["usage"]).tolist() == pytest.approx([1.0, 1.0], abs=1e-4)


def test_gradients_reach_all_parts_and_are_finite_when_a_code_is_never_used(model, batch):
    with torch.no_grad():
        model.model.quantizer.weight_proj.bias[0] = 200.0  # softmax underflows for all other codes
    model.train()(*batch, 2.0)["loss"].backward()
    gradients = {name: weight.grad for name, weight in model.named_parameters()}
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients.values())
    assert gradients["model.quantizer.codevectors"].abs().sum() > 0


def test_gradients_of_the_cnn_encoder_are_scaled(model, batch):
    sizes = []
    for factor in (1.0, 0.1):
        torch.manual_seed(0)
        scaled = ContrastiveModel(
            model.model, replace(PUBLISHED, features_penalty=0.0, encoder_gradient=factor)
        ).train()
        scaled.zero_grad()
        scaled(*batch, 2.0)["loss"].backward()
        sizes.append(model.model.wav2vec2.feature_extractor.conv_layers[0].conv.weight.grad.clone())
    torch.testing.assert_close(sizes[1], sizes[0] * 0.1)


def test_perplexities_by_hand():
    usage = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]])
    assert perplexities(usage).tolist() == pytest.approx([2.0, 4.0], rel=1e-4)

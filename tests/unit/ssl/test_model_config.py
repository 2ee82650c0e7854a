import pytest

from unscribed.errors import UserError
from unscribed.ssl.model_config import read_model_config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hidden_sise: 32", "has no hidden_sise: did you mean hidden_size"),
        ("mask_time_prob: 0.5", r"mask_time_prob is set in the configuration, as pretrain\.mask_probability"),
        ("num_attention_heads: 7", "hidden_size is 768, which num_attention_heads .7. does not divide"),
        ("do_stable_layer_norm: true", "goes with feat_extract_norm: layer"),
        ("conv_kernel: [10, 3]", "describes no wav2vec 2.0 model"),
        ("conv_kernel: [3, 2, 2, 2, 2, 2, 2]", "would skip samples"),
        ("- a list", "no lines of the form"),
        ("a: b: c", "is no YAML"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(tmp_path, text, message):
    path = tmp_path / "sizes.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_model_config(path)


def test_missing_sizes_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"pretrain\.model: .*none\.yaml cannot be read"):
        read_model_config(tmp_path / "none.yaml")

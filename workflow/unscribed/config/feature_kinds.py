"""The kinds of learned features, and what is known of each before a model is loaded.

Every Snakemake process loads this, on compute nodes too: it imports nothing heavy.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class LearnedKind:
    """Features from the states of a pretrained encoder, made by unscribed.ssl.extract.

    `encoder` names the function that loads a checkpoint as a SpeechEncoder. `hop_samples` is the hop of the published
    models, for checkpoints whose config.json is not on this machine; `strides`, `dims` and `blocks` are keys of that
    file: for the strides of the CNN encoder, the size of a state and the number of Transformer blocks.
    """

    encoder: str
    hop_samples: int
    strides: str
    dims: str
    blocks: str


# By their values of features.kind.
LEARNED = {
    "wav2vec": LearnedKind("ssl.encode:wav2vec_encoder", 320, "conv_stride", "hidden_size", "num_hidden_layers"),
}

"""The kinds of learned features, and what is known of each before any model is loaded.

Every Snakemake process loads this, on compute nodes too: it imports nothing heavy.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class LearnedKind:
    """Frames from the states of a pretrained encoder, which unscribed.ssl.extract makes.

    `encoder` names the function that loads a checkpoint as a SpeechEncoder. `hop_samples` is the hop of the published
    models, for checkpoints whose config.json is not at hand; `strides`, `dims` and `blocks` are the keys of that file
    that hold the strides of the CNN encoder, the size of a state and the number of blocks.
    """

    encoder: str
    hop_samples: int
    strides: str
    dims: str
    blocks: str


LEARNED = {
    "wav2vec": LearnedKind("ssl.encode:wav2vec_encoder", 320, "conv_stride", "hidden_size", "num_hidden_layers"),
}

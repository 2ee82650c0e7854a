"""Stage codebook: which codes of a pretrained model each language uses (XLSR §5.4: do languages share the codebooks?).

Dimensions: L languages, P parts of each, G codebooks, V codes of each, T frames.
"""

import logging
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from scipy.spatial.distance import jensenshannon
from transformers import Wav2Vec2ForPreTraining

from unscribed.artifacts import Pathlike, write_json
from unscribed.ssl.waveform import Speech, normalized
from unscribed.tables import TEXT, WHOLE, Table

log = logging.getLogger(__name__)

PARTS = 10  # of a language, each of other utterances: points of the figure, which show how firm a place is
UTTERANCES = 300  # of a language


class CodebookTable(Table):
    """How many frames of a part of a language have each code of each codebook."""

    SCHEMA: ClassVar = {"language": TEXT, "part": WHOLE, "codebook": WHOLE, "code": WHOLE, "frames": WHOLE}


def codebook(
    *,
    model: Pathlike,
    manifests: Sequence[str],
    vads: Sequence[str],
    languages: Sequence[str],
    sample_rate_hz: int,
    seed: int,
    threads: int,
    usage: Pathlike,
    metrics: Pathlike,
) -> None:
    """Count the codes of up to UTTERANCES of each language, in PARTS; write the counts and how alike languages are.

    `metrics` has the perplexity of each codebook in each language, and for each pair of languages the mean over the
    codebooks of the Jensen-Shannon divergence in bits: 0 for the same use of the codes, 1 for no code in common.
    """
    torch.set_num_threads(threads)
    network = Wav2Vec2ForPreTraining.from_pretrained(model, use_safetensors=True, local_files_only=True).eval()
    counts = np.stack(
        [
            _count(network, Speech(manifest, vad, sample_rate_hz), seed)
            for manifest, vad in zip(manifests, vads, strict=True)
        ]
    )  # (L, P, G, V)
    places = np.indices(counts.shape).reshape(4, -1)
    table = CodebookTable(
        language=[languages[place] for place in places[0]],
        part=places[1],
        codebook=places[2],
        code=places[3],
        frames=counts.ravel(),
    )
    table.write(usage)
    write_json(metrics, summary(shares(counts.sum(axis=1)), languages))


def _count(network: Wav2Vec2ForPreTraining, speech: Speech, seed: int) -> np.ndarray:
    """How often each code is the likeliest, (P, G, V)."""
    quantizer = network.quantizer
    found = np.zeros((PARTS, quantizer.num_groups, quantizer.num_vars), dtype=np.int64)
    for place, number in enumerate(np.random.default_rng(seed).permutation(len(speech))[:UTTERANCES]):
        for group, codes in enumerate(codes_of(network, speech[int(number)]).T):
            found[place % PARTS, group] += np.bincount(codes, minlength=quantizer.num_vars)
    return found


@torch.inference_mode()
def codes_of(network: Wav2Vec2ForPreTraining, samples: np.ndarray) -> np.ndarray:
    """The likeliest codes of an utterance (N,), (T, G)."""
    latents = network.wav2vec2.feature_extractor(torch.from_numpy(normalized(samples))[None])
    _, latents = network.wav2vec2.feature_projection(latents.transpose(1, 2))
    scores = network.quantizer.weight_proj(latents[0]).view(len(latents[0]), network.quantizer.num_groups, -1)
    return scores.argmax(dim=-1).numpy()


def shares(counts: np.ndarray) -> np.ndarray:
    """Counts (…, V) as shares of their sum; codes that nothing was counted for share alike."""
    smoothed = counts + 1e-9
    return smoothed / smoothed.sum(axis=-1, keepdims=True)


def summary(used: np.ndarray, languages: Sequence[str]) -> dict[str, float]:
    """Perplexities and divergences from the shares (L, G, V) of the codes."""
    found: dict[str, float] = {}
    for language, books in zip(languages, used, strict=True):
        for number, book in enumerate(books, start=1):
            found[f"perplexity.{language}.codebook{number}"] = float(np.exp(-(book * np.log(book)).sum()))
    for first, one in enumerate(languages):
        for second in range(first + 1, len(languages)):
            pairs = zip(used[first], used[second], strict=True)
            apart = float(np.mean([jensenshannon(*pair, base=2) ** 2 for pair in pairs]))
            found[f"divergence_bits.{one}.{languages[second]}"] = apart
            log.info("%s and %s: %.2f bits apart", one, languages[second], apart)
    return found

"""Stage codebook: count which codes of a pretrained model each language uses (XLSR §5.4: do languages share codes?).

Dimensions: L languages, P parts of a language, G codebooks, V codes of a codebook, N samples, T frames.
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

PARTS = 10  # groups of different utterances per language: points in the figure, whose scatter shows the noise
UTTERANCES = 300  # of each language, at random: more take longer and scatter less
UNSEEN = 1e-9  # added to every count, so that codes that were never counted have a logarithm


class CodebookTable(Table):
    """Number of frames that have each code of each codebook, in each part of a language."""

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
    """Count the codes in UTTERANCES of each language, in PARTS; write the counts and the divergence of the languages.

    `metrics` has the perplexity of each codebook in each language, and for each pair of languages the Jensen-Shannon
    divergence in bits, averaged over the codebooks: 0 if both use the codes alike, 1 if they have no code in common.
    """
    torch.set_num_threads(threads)
    network = Wav2Vec2ForPreTraining.from_pretrained(model, use_safetensors=True, local_files_only=True).eval()
    counts = np.stack(
        [
            _count(network, Speech(manifest, vad, sample_rate_hz), seed)
            for manifest, vad in zip(manifests, vads, strict=True)
        ]
    )  # (L, P, G, V)
    language, part, book, code = np.indices(counts.shape).reshape(4, -1)
    table = CodebookTable(
        language=[languages[number] for number in language],
        part=part,
        codebook=book,
        code=code,
        frames=counts.ravel(),
    )
    table.write(usage)
    write_json(metrics, summary(shares(counts.sum(axis=1)), languages))


def _count(network: Wav2Vec2ForPreTraining, speech: Speech, seed: int) -> np.ndarray:
    """Count the frames in which each code is the most probable, (P, G, V)."""
    quantizer = network.quantizer
    counts = np.zeros((PARTS, quantizer.num_groups, quantizer.num_vars), dtype=np.int64)
    for place, number in enumerate(np.random.default_rng(seed).permutation(len(speech))[:UTTERANCES]):
        for group, codes in enumerate(codes_of(network, speech[int(number)]).T):
            counts[place % PARTS, group] += np.bincount(codes, minlength=quantizer.num_vars)
    return counts


@torch.inference_mode()
def codes_of(network: Wav2Vec2ForPreTraining, samples: np.ndarray) -> np.ndarray:
    """The most probable codes (T, G) of an utterance's samples (N,)."""
    latents = network.wav2vec2.feature_extractor(torch.from_numpy(normalized(samples))[None])
    _, latents = network.wav2vec2.feature_projection(latents.transpose(1, 2))
    scores = network.quantizer.weight_proj(latents[0]).view(len(latents[0]), network.quantizer.num_groups, -1)
    return scores.argmax(dim=-1).numpy()


def shares(counts: np.ndarray) -> np.ndarray:
    """Divide counts (…, V) by their sum; a codebook without any counts is used equally."""
    smoothed = counts + UNSEEN
    return smoothed / smoothed.sum(axis=-1, keepdims=True)


def summary(used: np.ndarray, languages: Sequence[str]) -> dict[str, float]:
    """Compute perplexities and divergences from the shares (L, G, V) of the codes."""
    values: dict[str, float] = {}
    for language, books in zip(languages, used, strict=True):
        for number, book in enumerate(books, start=1):
            values[f"perplexity.{language}.codebook{number}"] = float(np.exp(-(book * np.log(book)).sum()))
    for first, one in enumerate(languages):
        for second in range(first + 1, len(languages)):
            pairs = zip(used[first], used[second], strict=True)
            divergence = float(np.mean([jensenshannon(*pair, base=2) ** 2 for pair in pairs]))
            values[f"divergence_bits.{one}.{languages[second]}"] = divergence
            log.info("%s and %s: divergence %.2f bits", one, languages[second], divergence)
    return values

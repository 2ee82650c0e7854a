"""Are the confidences of words right? Tables of finished runs, scored with transcripts.

    python benchmarks/confidence.py results/demo results/natural-en

Decodes words of the split valid anew (--split) and prints, for each run, by confidence how many of them are right, the
mean confidence beside the share of right words, and the expected calibration error (Guo et al. 2017, ten bins). With
--fit the coefficients of unscribed.hmm.confidence are fitted on all runs together, each with the same weight, first.
References are read for this alone; no stage sees what is printed.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from unscribed.evaluation.per import GAP
from unscribed.evaluation.wer import align_words, read_word_references
from unscribed.frames import FrameStore
from unscribed.hmm.confidence import COEFFICIENTS, INTERCEPT, predictors
from unscribed.hmm.model import HmmModel
from unscribed.hmm.words import WordReader, read_edits
from unscribed.recogniser.folder import Card
from unscribed.wfst.graph import Graph
from unscribed.wfst.search import Decoder

BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class Words:
    """The recognised words of a run: shares of N-best lists, predictors of the regression (N, 3), what is right."""

    shares: np.ndarray
    predictors: np.ndarray
    right: np.ndarray


def main() -> None:
    """Parse the command line, decode, fit if asked to, and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="+", help="folders of corpora, for example results/demo")
    parser.add_argument("--split", default="valid", help="train, valid or test (default valid)")
    parser.add_argument("--fit", action="store_true", help="fit the coefficients on these runs")
    arguments = parser.parse_args()
    runs = {path: recognised(path, arguments.split) for path in arguments.results}
    weights = fit(list(runs.values())) if arguments.fit else (INTERCEPT, COEFFICIENTS)
    for path, found in runs.items():
        show(path, found, *weights)


def recognised(results: Path, split: str) -> Words:
    """Decode a split of a finished run with its final model."""
    card, place = Card.read(results / "recogniser"), results / "hmm/final/words"
    store = FrameStore(results / ("pca" if card.projected else "features") / f"{split}.npy")
    model, edits = HmmModel.read(results / "hmm/final/model.safetensors"), read_edits(place / "weights.json")
    texts = (results / "lexicon/lexiconp.txt", results / "word_lm/words.txt")
    reader = WordReader(model.topology, *texts, card.nbest.nbest, card.weights, edits)
    graph = Graph.read(place / "graph.safetensors")
    decoder = Decoder(model, graph, card.weights, card.search, card.nbest.lattice_beam)
    hypotheses, evidence = {}, {}
    for number, name in enumerate(store.utterances):
        scores = model.scores(store, number)
        if lattice := decoder.decode(scores):
            row, evidence[name] = reader.read(lattice, scores)
            hypotheses[name] = row["words"]
    manifest = results / f"manifest/{split}.parquet"
    known = read_word_references(results / f"references/{split}.parquet", manifest, card.language)
    pairs = align_words({name: words for name, words in known.items() if name in hypotheses}, hypotheses)
    right = [left == heard for alignment in pairs.values() for left, heard in alignment if heard != GAP]
    shares = np.concatenate([evidence[name].shares for name in pairs])
    goodness = np.concatenate([evidence[name].goodness for name in pairs])
    return Words(shares, predictors(shares, goodness, edits), np.array(right))


def fit(runs: list[Words]) -> tuple[float, np.ndarray]:
    """Fit intercept and coefficients on all runs, each with the same weight in all, and print them."""
    model = LogisticRegression(C=1e6, max_iter=10_000)
    right = np.concatenate([run.right for run in runs])
    shares = np.concatenate([np.full(len(run.right), len(right) / (len(runs) * len(run.right))) for run in runs])
    model.fit(np.concatenate([run.predictors for run in runs]), right, sample_weight=shares)
    print(f"INTERCEPT, COEFFICIENTS = {model.intercept_[0]:.3f}, ({', '.join(f'{x:.4f}' for x in model.coef_[0])})")
    return float(model.intercept_[0]), model.coef_[0]


def show(path: Path, run: Words, intercept: float, coefficients: Sequence[float]) -> None:
    """Print the table of one run."""
    sure = expit(intercept + run.predictors @ np.array(coefficients))
    print(f"\n{path}: {len(sure)} words, right {run.right.mean():.3f}")
    print("mean share of the N-best list, its calibration error; mean confidence, its calibration error:")
    for values in (run.shares, sure):
        print(f"  {values.mean():.3f}  {calibration_error(values, run.right):.3f}")
    print("| confidence | words | right |\n| --- | --- | --- |")
    for low, high in pairwise(BINS):
        inside = (sure >= low) & ((sure < high) | (high == 1.0))
        if inside.any():
            print(f"| {low:g} to {high:g} | {inside.sum()} | {run.right[inside].mean():.2f} |")


def calibration_error(values: np.ndarray, right: np.ndarray) -> float:
    """Return the mean distance of confidence and share of right words over ten bins of equal width."""
    places = np.minimum((10 * values).astype(int), 9)
    parts = [places == place for place in range(10)]
    return sum(part.mean() * abs(values[part].mean() - right[part].mean()) for part in parts if part.any())


if __name__ == "__main__":
    main()

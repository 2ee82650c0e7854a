"""How likely are words right that are said to be so? Tables of finished runs, scored with transcripts.

    python benchmarks/confidence.py results/demo results/natural-en

Decodes words of the split valid anew (--split) and prints, for each run, by confidence how many of them are right, the
mean confidence beside the share of right words, and the expected calibration error (Guo et al. 2017, ten bins). With
--fit the coefficients of unscribed.hmm.confidence are fitted on all runs together, each with the same weight, first.
References are read for this alone; no stage sees what is printed.
"""

import argparse
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from unscribed.artifacts import read_json
from unscribed.config.schema import complete
from unscribed.evaluation.per import GAP
from unscribed.evaluation.wer import align_words, read_word_references
from unscribed.frames import FrameStore
from unscribed.hmm import confidence
from unscribed.hmm.model import HmmModel
from unscribed.hmm.words import WordReader, read_edits
from unscribed.wfst.graph import Graph
from unscribed.wfst.search import Decoder, SearchSettings
from unscribed.wfst.weights import Weights, read_weights

SCHEMA = Path(__file__).parents[1] / "workflow/schemas/config.schema.yaml"
BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class Words:
    """The recognised words of a run: shares of N-best lists, goodness, whether they are right; edits of the run."""

    shares: np.ndarray
    goodness: np.ndarray
    right: np.ndarray
    edits: float

    def confidences(self) -> np.ndarray:
        """Return the calibrated confidences."""
        return np.array(confidence.calibrated(self.shares, self.goodness, self.edits))

    def predictors(self) -> np.ndarray:
        """Return what the regression sees, (N, 3)."""
        share = np.clip(self.shares, confidence.CERTAIN, 1 - confidence.CERTAIN)
        edits = np.full(len(share), math.log(max(self.edits, confidence.CERTAIN)))
        return np.stack([np.log(share / (1 - share)), self.goodness, edits], axis=1)


def main() -> None:
    """Parse the command line, decode, fit if asked to, and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="+", help="folders of corpora, for example results/demo")
    parser.add_argument("--split", default="valid", help="train, valid or test (default valid)")
    parser.add_argument("--fit", action="store_true", help="fit the coefficients on these runs")
    arguments = parser.parse_args()
    runs = {path: recognised(path, arguments.split) for path in arguments.results}
    if arguments.fit:
        fit(list(runs.values()))
    for path, found in runs.items():
        show(path, found)


def recognised(results: Path, split: str) -> Words:
    """Decode a split of a finished run with its final model."""
    defaults = complete({"corpus": {"name": "any", "kind": "espeak"}}, SCHEMA)
    card = read_json(results / "recogniser/recogniser.json")
    store = FrameStore(results / ("pca" if card["projected"] else "features") / f"{split}.npy")
    place = results / "hmm/final/words"
    model, weights = (
        HmmModel.read(results / "hmm/final/model.safetensors"),
        read_weights(place / "weights.json", Weights),
    )
    names = (results / "lexicon/lexiconp.txt", results / "word_lm/words.txt", card["nbest"]["nbest"])
    edits = read_edits(place / "weights.json")
    reader = WordReader(model.topology, *names, weights, edits)
    settings = SearchSettings(defaults["hmm"]["beam"], defaults["hmm"]["max_active"])
    graph = Graph.read(place / "graph.safetensors")
    beam = card["nbest"]["lattice_beam"]
    hypotheses, evidence = {}, {}
    decoder = Decoder(model, graph, weights, settings, beam)
    for number, name in enumerate(store.utterances):
        scores = model.scores(store, number)
        lattice = decoder.decode(scores)
        if lattice is not None:
            row, evidence[name] = reader.read(lattice, scores)
            hypotheses[name] = row["words"]
    manifest = results / f"manifest/{split}.parquet"
    known = read_word_references(results / f"references/{split}.parquet", manifest, card["language"])
    pairs = align_words({name: words for name, words in known.items() if name in hypotheses}, hypotheses)
    right = [left == heard for alignment in pairs.values() for left, heard in alignment if heard != GAP]
    shares = np.concatenate([evidence[name].shares for name in pairs])
    return Words(shares, np.concatenate([evidence[name].goodness for name in pairs]), np.array(right), edits)


def fit(runs: list[Words]) -> None:
    """Fit the coefficients, set them for the tables that follow, and print them."""
    model = LogisticRegression(C=1e6, max_iter=10_000)
    size = [np.full(len(run.right), 1 / len(run.right)) for run in runs]
    predictors, right = np.concatenate([run.predictors() for run in runs]), np.concatenate([run.right for run in runs])
    model.fit(predictors, right, sample_weight=np.concatenate(size) * len(right) / len(runs))
    confidence.INTERCEPT = float(model.intercept_[0])
    confidence.SHARE, confidence.GOODNESS, confidence.EDITS = map(float, model.coef_[0])
    print("INTERCEPT, SHARE, GOODNESS, EDITS =", f"{confidence.INTERCEPT:.3f},", *(f"{x:.4f}," for x in model.coef_[0]))


def show(path: Path, run: Words) -> None:
    """Print the table of one run."""
    sure = run.confidences()
    print(f"\n{path}: {len(sure)} words, edits {run.edits:.3f}; right {run.right.mean():.3f}")
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

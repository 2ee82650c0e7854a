"""Do the weights with the fewest edits have the fewest errors? A table of a finished run, scored with transcripts.

    python benchmarks/agreement.py results/natural-en

For each step that labels by words, and each weight of the language model that was tried: the edits by which hmm_tune
chose, and the phone error rate of the split valid decoded with that weight. References are read for this alone; no
stage sees what is printed. Decoding takes some seconds per weight.
"""

import argparse
from pathlib import Path

from unscribed.config.schema import complete
from unscribed.evaluation.per import phone_error_rate, spoken_phones
from unscribed.evaluation.scoring import scored_references
from unscribed.frames import FrameStore
from unscribed.hmm.model import HmmModel
from unscribed.wfst.graph import Graph
from unscribed.wfst.search import SearchSettings, decode_store
from unscribed.wfst.tuning import TuningTable
from unscribed.wfst.weights import Weights

SCHEMA = Path(__file__).parents[1] / "workflow/schemas/config.schema.yaml"


def main() -> None:
    """Parse the command line, decode and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="folder of a corpus, for example results/natural-en")
    parser.add_argument("--threads", type=int, default=2, help="of the decoder (default 2)")
    arguments = parser.parse_args()
    results = arguments.results
    hmm = complete({"corpus": {"name": "any", "kind": "espeak"}}, SCHEMA)["hmm"]
    search = SearchSettings(hmm["beam"], hmm["max_active"])
    store = FrameStore(results / "features/valid.npy")
    said = scored_references(results / "references/valid.parquet", results / "manifest/valid.parquet").phones
    print("| step | weight | PER of valid | edits | chosen |\n| --- | --- | --- | --- | --- |")
    for place in sorted(results.glob("hmm/cycle1/step*/words")):
        step = place.parent.name.removeprefix("step")
        model, graph = HmmModel.read(place.parent / "model.safetensors"), Graph.read(place / "graph.safetensors")
        for trial in TuningTable.read(place / "tuning.parquet").itertuples():
            weights = Weights(trial.lm_weight, trial.insertion_penalty)
            found = decode_store(model, store, graph, weights, search, arguments.threads, range(len(store)))
            phones = (model.topology.phones_of(lattice.alignment())[0] if lattice else [] for lattice in found)
            rate = phone_error_rate(said, dict(zip(store.utterances, phones, strict=True)), spoken_phones)
            columns = (step, f"{trial.lm_weight:g}", f"{100 * rate:.1f} %", f"{trial.edit_rate:.3f}")
            print("|", *(f"{column} |" for column in (*columns, "yes" if trial.chosen else "")), flush=True)


if __name__ == "__main__":
    main()

"""Time word decoding of a finished run, lattices and N-best lists included, in × real time; print the result as JSON.

    python benchmarks/words.py results/demo                 the test split on one thread
    python benchmarks/words.py results/demo --threads 2 --split valid

Before the clock starts, a few utterances are decoded twice: first to compile the search, then to measure the start-up
(reading graph and lexicon), which is reported separately.
"""

import argparse
import json
import logging
import tempfile
import time
from pathlib import Path

from unscribed.config.schema import complete
from unscribed.frames import FrameStore, FrameWriter
from unscribed.hmm.words import words
from unscribed.wfst.nbest import NbestSettings
from unscribed.wfst.search import SearchSettings

WARM_UP = 3  # utterances decoded before the clock starts
SCHEMA = Path(__file__).parents[1] / "workflow/schemas/config.schema.yaml"


def main() -> None:
    """Parse the command line, warm up, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="folder of a corpus, for example results/demo")
    parser.add_argument("--split", default="test", help="default test")
    parser.add_argument("--threads", type=int, default=1, help="of the decoder (default 1)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    config = complete({"corpus": {"name": "speed", "kind": "espeak"}}, SCHEMA)
    search = SearchSettings(config["hmm"]["beam"], config["hmm"]["max_active"])
    final = arguments.results / "hmm/final"

    def decode(features: Path, folder: Path) -> float:
        started = time.perf_counter()
        words(
            features=features,
            model=final / "model.safetensors",
            graph=final / "words/graph.safetensors",
            weights=final / "words/weights.json",
            lexiconp=arguments.results / "lexicon/lexiconp.txt",
            word_symbols=arguments.results / "word_lm/words.txt",
            settings=NbestSettings(**config["words"]),
            search=search,
            threads=arguments.threads,
            words=folder / "words.parquet",
        )
        return time.perf_counter() - started

    features = arguments.results / f"features/{arguments.split}.npy"
    store = FrameStore(features)
    with tempfile.TemporaryDirectory() as name:
        few = Path(name, "few.npy")
        with FrameWriter(few, store.metadata) as writer:
            for number in range(WARM_UP):
                writer.append(store.utterances[number], store[number])
        decode(few, Path(name))
        start_up = decode(few, Path(name))  # reading graph and lexicon, and very little decoding
        seconds = decode(features, Path(name))
    audio = float(store.offsets[-1]) * store.metadata["hop_ms"] / 1000
    result = {
        "audio_seconds": round(audio, 1),
        "threads": arguments.threads,
        "start_up_seconds": round(start_up, 2),
        "decoding_seconds": round(seconds - start_up, 2),
        "x_real_time": round(audio / (seconds - start_up)),
        "x_real_time_with_start_up": round(audio / seconds),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

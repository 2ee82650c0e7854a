"""Stage hmm_tune: weight of the language model and insertion penalty, chosen without labels.

The labels are the phones of the mapping, the perplexity that of the decoded phones: see `unscribed.wfst.tuning`.
"""

from collections.abc import Sequence

from unscribed.artifacts import Pathlike, read_json
from unscribed.frames import FrameStore
from unscribed.hmm.model import HmmModel
from unscribed.tables import PhoneTable
from unscribed.text.arpa import Arpa
from unscribed.text.ngram import perplexity
from unscribed.text.silence import SilenceSettings, as_sentence, strip_silence
from unscribed.wfst.graph import Graph
from unscribed.wfst.search import SearchSettings, decode_store
from unscribed.wfst.tuning import GridSettings, Labels, tune, write_tuning
from unscribed.wfst.weights import Weights


def hmm_tune(
    *,
    features: Pathlike,
    model: Pathlike,
    graph: Pathlike,
    labels: Pathlike,
    arpa: Pathlike,
    report: Pathlike,
    grid: GridSettings,
    search: SearchSettings,
    min_edit_rate: float,
    silence: SilenceSettings,
    transcribed: bool,
    seed: int,
    threads: int,
    tuning: Pathlike,
    weights: Pathlike,
) -> None:
    """Decode some utterances of `labels` with all weights; write the scores, and the weights with the lowest.

    `labels` (PhoneTable) are phones of the same utterances: the mapping's, or, in the supervised recogniser alone, the
    transcripts' (`transcribed`), where the edit rate decides. `arpa` is a phone language model, and `report` has its
    perplexity on held-out text. Raises UserError if store and labels have no utterance in common.
    """
    store, acoustic, decoding = FrameStore(features), HmmModel.read(model), Graph.read(graph)
    table = PhoneTable.read(labels)
    phones = {row.utterance: strip_silence(row.phones) for row in table.itertuples()}
    language_model, held_out = Arpa.read(arpa), read_json(report)["perplexity"] or 1.0
    compared = Labels(phones, transcribed, min_edit_rate, held_out)
    chosen = compared.choose(
        store.utterances,
        grid.tune_utterances,
        seed,
        missing=f"{labels} has no phones for any utterance of {features}: run the stage decode again.",
    )
    names = [store.utterances[number] for number in chosen]

    def measure(candidate: Weights) -> tuple[float, float]:
        found = decode_store(acoustic, store, decoding, candidate, search, threads, chosen)
        hypotheses = [acoustic.topology.phones_of(lattice.alignment())[0] if lattice else [] for lattice in found]
        rate = compared.edit_rate(zip(names, map(strip_silence, hypotheses), strict=True))
        return hypothesis_perplexity(hypotheses, language_model, silence), rate

    silent = (
        f"no path of {graph} fits any of the {len(chosen)} utterances of {features}: they may be shorter than "
        "the shortest word or phone (hmm.states), or the search too narrow (hmm.beam, hmm.max_active)."
    )
    write_tuning(tune(grid.weights(), measure, compared, silent), tuning, weights)


def hypothesis_perplexity(hypotheses: Sequence[Sequence[str]], arpa: Arpa, silence: SilenceSettings) -> float:
    """Compute the perplexity of phone sequences, their silences replaced by those of the text: at the ends, or none.

    It is infinite if there is no phone at all.
    """
    lines = [" ".join(line) for found in hypotheses if (line := as_sentence(found, silence))]
    return perplexity(arpa, lines)["perplexity"] or float("inf")

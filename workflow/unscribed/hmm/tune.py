"""Stage hmm_tune: weight of the language model and insertion penalty, chosen without labels.

The edits decide. What the hypotheses are compared with is the labels of the mapping for the first step, and for later
ones what the model of the step before decodes *with the same weights*. Two models of
different kinds err differently: too small a weight leaves each its own noise, too large a one its own fluent sentence,
and they agree most in between. Labels that were decoded once with one weight would only ask for that weight again.
In the first step the errors of the mapping drown the difference between weights, so the middle of those with nearly the
fewest edits is taken, and of two the larger.
"""

import filecmp
from collections.abc import Sequence
from dataclasses import dataclass, replace

from unscribed.artifacts import Pathlike
from unscribed.frames import FrameStore
from unscribed.hmm.model import HmmModel
from unscribed.hmm.settled import passed_on
from unscribed.tables import PhoneTable
from unscribed.text.arpa import Arpa
from unscribed.text.ngram import perplexity
from unscribed.text.silence import SilenceSettings, as_sentence, strip_silence
from unscribed.wfst.graph import Graph
from unscribed.wfst.search import SearchSettings, decode_store
from unscribed.wfst.tuning import GridSettings, Labels, sample, tune, write_tuning
from unscribed.wfst.weights import Weights

# Of the fewest edits: in the first step weights with so many more are equally good. Found on natural-en, with errors in
# sight.
TOLERANCE = 0.1


@dataclass(frozen=True)
class Place:
    """A model with its graph."""

    model: HmmModel
    graph: Graph


def hmm_tune(
    *,
    features: Pathlike,
    model: Pathlike,
    graph: Pathlike,
    labels: Pathlike | None,
    partners: Sequence[str],
    partner_graphs: Sequence[str],
    arpa: Pathlike,
    grid: GridSettings,
    search: SearchSettings,
    silence: SilenceSettings,
    seed: int,
    threads: int,
    tuning: Pathlike,
    weights: Pathlike,
    settled: float = 0.0,
    before: Pathlike | None = None,
    before_weights: Pathlike | None = None,
) -> None:
    """Decode some utterances with all weights; write the scores, and the weights with the fewest edits.

    Hypotheses are compared with `labels` (PhoneTable), phones of the same utterances: the mapping's, or, in the
    supervised recogniser alone, the transcripts'. If there are none, they are compared with what the first of the
    models `partners` that is not a copy of `model` decodes on its graph. `arpa` is a phone language model, whose
    perplexity of the hypotheses is written, too. If self-training has settled at the step before, its trials `before`
    and its weights are passed on. Raises UserError if store and labels have no utterance in common.
    """
    if passed_on(before_weights, settled, {tuning: before, weights: before_weights}):
        return
    store, language_model, given = FrameStore(features), Arpa.read(arpa), Labels({}, fluency=False)
    if labels:
        told = {row.utterance: strip_silence(row.phones) for row in PhoneTable.read(labels).itertuples()}
        given = replace(given, symbols=told)
        missing = f"{labels} has no phones for any utterance of {features}: run the stage decode again."
        chosen = given.choose(store.utterances, grid.tune_utterances, seed, missing)
    else:
        chosen = sample(range(len(store)), grid.tune_utterances, seed)
    names = [store.utterances[number] for number in chosen]

    def decode(place: Place, candidate: Weights) -> list[list[str]]:
        found = decode_store(place.model, store, place.graph, candidate, search, threads, chosen)
        return [place.model.topology.phones_of(lattice.alignment())[0] if lattice else [] for lattice in found]

    own = Place(HmmModel.read(model), Graph.read(graph))
    pairs = zip(partners, partner_graphs, strict=True)
    partner = next((pair for pair in pairs if not filecmp.cmp(pair[0], model, shallow=False)), None)
    other = Place(HmmModel.read(partner[0]), Graph.read(partner[1])) if partner else None

    def measure(candidate: Weights) -> tuple[float, float]:
        hypotheses, compared = decode(own, candidate), given
        if other:
            others = map(strip_silence, decode(other, candidate))
            compared = replace(given, symbols=dict(zip(names, others, strict=True)))
        rate = compared.edit_rate(zip(names, map(strip_silence, hypotheses), strict=True))
        return hypothesis_perplexity(hypotheses, language_model, silence), rate

    silent = (
        f"no path of {graph} fits any of the {len(chosen)} utterances of {features}: they may be shorter than "
        "the shortest word or phone (hmm.states), or the search too narrow (hmm.beam, hmm.max_active)."
    )
    tolerance = TOLERANCE if labels else 0.0
    write_tuning(tune(grid.weights(), measure, given, silent), tuning, weights, tolerance=tolerance)


def hypothesis_perplexity(hypotheses: Sequence[Sequence[str]], arpa: Arpa, silence: SilenceSettings) -> float:
    """Compute the perplexity of phone sequences, their silences replaced by those of the text: at the ends, or none.

    It is infinite if there is no phone at all.
    """
    lines = [" ".join(line) for found in hypotheses if (line := as_sentence(found, silence))]
    return perplexity(arpa, lines)["perplexity"] or float("inf")

import math
from dataclasses import replace
from pathlib import Path

import kaldifst
import numpy as np
import pytest

from unscribed.artifacts import write_lines
from unscribed.errors import UserError
from unscribed.hmm.frontend import FrontEnd
from unscribed.hmm.gmm import Mixtures
from unscribed.hmm.graph import lexicon_fst, phone_graph, read_symbols, word_graph
from unscribed.hmm.model import HmmModel
from unscribed.hmm.topology import Topology
from unscribed.text.silence import SilenceSettings
from unscribed.wfst.beam import search
from unscribed.wfst.graph import Graph

PHONES = ["<SIL>", "a", "b"]
SILENCE = SilenceSettings(probability=0.25, surround=False)
WORDS = {"<eps>": 0, "ab": 1, "aba": 2, "eh": 3, "heh": 4, "#0": 5}
ENTRIES = [("ab", 1.0, ("a", "b")), ("aba", 0.5, ("a", "b", "a")), ("eh", 1.0, ("a",)), ("heh", 1.0, ("a",))]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A model without training, a lexicon, and a language model in which every word is followed by any."""
    topology, size = Topology(PHONES, 2), 7
    mixtures = Mixtures(np.ones(size, "f4"), np.zeros((size, 2), "f4"), np.ones((size, 2), "f4"), np.arange(size + 1))
    HmmModel(FrontEnd(np.ones(2, "f4"), 2, 0, None), mixtures, topology).write(tmp_path / "model.safetensors")
    rows = [f"0 0 {number} {number} 1.5" for number in range(1, 5)]
    kaldifst.compile("\n".join([*rows, "0 0.5"]) + "\n").write(str(tmp_path / "lm.fst"))
    write_lines(tmp_path / "words.txt", [f"{word} {number}" for word, number in WORDS.items()])
    write_lines(tmp_path / "lexiconp.txt", [f"{word} {share} {' '.join(spoken)}" for word, share, spoken in ENTRIES])
    names = {"model": "model.safetensors", "fst": "lm.fst", "word_symbols": "words.txt", "lexiconp": "lexiconp.txt"}
    return {key: tmp_path / name for key, name in names.items()}


def _build(files: dict[str, Path], spelling: Path | None = None) -> Path:
    graph = files["fst"].with_name("graph.safetensors")
    word_graph(**files, spelling=spelling, silence=SILENCE, unknown_probability=0.1, graph=graph)
    return graph


def _heard(graph: Graph, phones: str) -> tuple[list[int], list[str]]:
    """The words and phones that are found in frames of a model of two states per phone, one frame each."""
    topology = Topology(PHONES, 2)
    states = np.concatenate([topology.first_pdf[PHONES.index(phone)] + np.arange(2) for phone in phones])
    scores = np.full((len(states), 15), -50.0, dtype=np.float32)
    for frame, state in enumerate(states):
        scores[frame, topology.pdf == state] = 0
    found = search(graph, scores, 1e6, 10_000, 0.0)
    assert found is not None
    return found.symbols().tolist(), topology.phones_of(found.alignment())[0]


def _damage(files: dict[str, Path], name: str, change: str) -> None:
    if name == "fst":
        files["fst"].write_bytes({"empty": b"", "text": b"0 1 1 1\n", "cut": files["fst"].read_bytes()[:60]}[change])
    else:
        with open(files[name], "a", encoding="utf-8") as file:
            file.write(change)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("lexiconp", "oh 1 b\n", r"lexiconp\.txt has 1 words that .*words\.txt lacks, for example oh: .*Delete both"),
        ("lexiconp", "eh 0.5 ʒ\n", r"lexiconp\.txt has phones that .*model\.safetensors lacks: ʒ\. .*stage hmm again"),
        ("lexiconp", "eh 2 a\n", r"lexiconp\.txt, line 5: the probability 2"),
        ("word_symbols", "oh\n", r"words\.txt, line 7: expected `symbol id`"),
        ("word_symbols", "oh six\n", r"words\.txt, line 7: expected `symbol id`"),
        ("fst", "empty", r"lm\.fst (holds no language model|cannot be read).*run the stage"),
        ("fst", "text", r"lm\.fst (holds no language model|cannot be read).*run the stage"),
        ("fst", "cut", r"lm\.fst (holds no language model|cannot be read).*run the stage"),
    ],
)
def test_files_that_do_not_fit(files: dict[str, Path], name: str, change: str, message: str) -> None:
    _damage(files, name, change)
    with pytest.raises(UserError, match=message):
        _build(files)


@pytest.mark.parametrize(("name", "message"), [("fst", r"lm\.fst cannot be read"), ("model", r"model\.safetensors is")])
def test_missing_file(files: dict[str, Path], name: str, message: str) -> None:
    files[name].unlink()
    with pytest.raises(UserError, match=message):
        _build(files)
    with pytest.raises(UserError, match=message):
        phone_graph(model=files["model"], fst=files["fst"], graph=files["fst"].with_name("graph.safetensors"))


def test_language_model_without_a_path(files: dict[str, Path]) -> None:
    kaldifst.StdVectorFst().write(str(files["fst"]))
    with pytest.raises(UserError, match=r"lm\.fst holds no language model"):
        _build(files)


def test_symbols(tmp_path: Path) -> None:
    write_lines(tmp_path / "words.txt", ["<eps> 0", "a b 1", "#0 2"])
    assert read_symbols(tmp_path / "words.txt") == {"<eps>": 0, "a b": 1, "#0": 2}


def test_lexicon_transducer() -> None:
    """Four phone labels, then #0 and one symbol per reading of a shared or beginning pronunciation, two for silence."""
    lexicon = lexicon_fst(ENTRIES, WORDS, PHONES, SILENCE)
    assert lexicon.disambiguation == [4, 5, 6, 7, 8]  # #0, #1, #2, and those of silence

    def readings(*labels: int) -> dict[tuple[int, ...], float]:
        """Word sequences for these labels, with their lowest costs."""
        chain = "".join(f"{place} {place + 1} {label} {label}\n" for place, label in enumerate(labels))
        found = kaldifst.compose(kaldifst.compile(f"{chain}{len(labels)}\n"), lexicon.fst)
        kaldifst.connect(found)
        if not found.num_states:
            return {}
        kaldifst.project(found, "output") if hasattr(kaldifst, "project") else None
        best = kaldifst.convert_nbest_to_vector(kaldifst.shortest_path(found, n=5))
        parts = [kaldifst.get_linear_symbol_sequence(path) for path in best]
        costs = [(float(weight.value), tuple(words)) for _, _, words, weight in parts]
        return {words: cost for cost, words in sorted(costs, reverse=True)}  # silence at the start has two ways

    none, silence = -math.log(0.75), -math.log(0.25)
    assert readings(2, 3, 5) == pytest.approx({(1,): 2 * none})  # "a b #1" is ab, as aba begins with it
    assert readings(2, 3) == {}
    assert readings(2, 3, 2) == pytest.approx({(2,): 2 * none + math.log(2)})
    assert readings(2, 5) == pytest.approx({(3,): 2 * none}) and readings(2, 6) == pytest.approx({(4,): 2 * none})
    assert readings(1, 7, 2, 5, 1, 7, 2, 6, 1, 8) == pytest.approx({(3, 4): 3 * silence})
    around = lexicon_fst(ENTRIES, WORDS, PHONES, replace(SILENCE, surround=True)).fst
    assert around.num_states == lexicon.fst.num_states


def test_graph_is_written(files: dict[str, Path]) -> None:
    graph = Graph.read(_build(files))
    assert set(graph.outputs) == {0, 1, 2, 3, 4}
    assert _heard(graph, "aba") == ([2], ["a", "b", "a"])  # aba costs less than ab and eh


def test_what_no_word_fits_is_an_unknown_word_spelled_by_phones(files: dict[str, Path], tmp_path: Path) -> None:
    """The n-grams of phones back off, as do those of words: to one state, where the unknown word stands alone."""
    rows = ["0 1 2 2 0.7", "0 1 3 3 0.7", "1 2 4 0 0.1", "2 1 2 2 0.7", "2 1 3 3 0.7", "1 0.7"]
    kaldifst.compile("\n".join(rows) + "\n").write(str(tmp_path / "spelling.fst"))
    found = [f"1 1 {number} {number} 1.5" for number in range(1, 5)]
    kaldifst.compile("\n".join(["0 1 5 0 0.2", "0 1 1 1 1.0", *found, "1 0.5"]) + "\n").write(str(files["fst"]))
    closed, opened = (Graph.read(_build(files, spelling)) for spelling in (None, tmp_path / "spelling.fst"))
    unknown = max(WORDS.values()) + 1
    assert unknown not in closed.outputs and unknown in opened.outputs
    assert _heard(opened, "bb") == ([unknown], ["b", "b"]) and _heard(closed, "bb")[1] != ["b", "b"]
    assert _heard(opened, "aba") == _heard(closed, "aba") == ([2], ["a", "b", "a"])  # though it could be spelled
    assert _heard(opened, "abab") == ([1, 1], ["a", "b", "a", "b"])
    costs = opened.costs[opened.outputs == unknown]
    assert costs.min() >= -math.log(0.1) - 1e-5

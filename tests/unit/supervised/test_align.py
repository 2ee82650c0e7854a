import kaldialign

from unscribed.supervised.align import word_alignment
from unscribed.tables import PhoneTable
from unscribed.text.silence import strip_silence


def test_alignment_chooses_pronunciations_and_silences(world, train, references, tmp_path):
    """The model of the noisy labels is good enough to find which way a word was said, and where it paused."""
    word_alignment(
        references=references,
        features=world.folder / "mfcc.npy",
        model=train("mfcc", world.folder / "labels.parquet", 1),
        lexiconp=world.folder / "lexiconp.txt",
        word_symbols=world.folder / "words.txt",
        silence=world.silence,
        language="en-us",
        threads=2,
        aligned=tmp_path / "aligned.parquet",
    )
    aligned = PhoneTable.by_utterance(tmp_path / "aligned.parquet")
    unknown = list(world.words)[3]
    assert not len(aligned.loc[unknown, "phones"]) and not len(aligned.loc["short", "phones"])
    names = [name for name in world.phones if name != unknown]
    spoken = sum(
        kaldialign.edit_distance(strip_silence(world.phones[name]), strip_silence(aligned.loc[name, "phones"]))["total"]
        for name in names
    )
    pauses = sum(
        kaldialign.edit_distance(world.phones[name], list(aligned.loc[name, "phones"]))["total"] for name in names
    )
    total = sum(len(world.phones[name]) for name in names)
    assert spoken < 0.03 * total and pauses < 0.1 * total

"""Fixtures of these tests: a small language, and transcripts of what is said in it."""

import pytest
from helpers.tables import filled
from helpers.toy_language import train, world  # noqa: F401

from unscribed.tables import ReferenceTable


@pytest.fixture(scope="module")
def references(world, tmp_path_factory):  # noqa: F811
    """Transcripts with capitals and full stops; one with an unknown word, one of an utterance with a single frame."""
    said = {name: " ".join(words).capitalize() + "." for name, words in world.words.items()}
    said |= {list(said)[3]: "ab zebra", "short": "ab abc"}
    path = tmp_path_factory.mktemp("references") / "train.parquet"
    filled(ReferenceTable, utterance=said, words=said.values()).write(path)
    return path

"""A corpus of files, built and read back as the workflow does."""

from pathlib import Path

from unscribed.audio.vad import VadSettings
from unscribed.corpora.build import write_recorded, write_unpaired
from unscribed.corpora.cutting import CutSettings
from unscribed.corpora.references import write_references
from unscribed.tables import RecordingTable, ReferenceTable
from unscribed.text.pronouncers import ESPEAK

PHONE_MAP = Path(__file__).parents[2] / "resources" / "timit-60-39.tsv"
SPLITS = ("train", "valid", "test")


class Corpus:
    """Builds one corpus in a folder and reads back what was written."""

    def __init__(self, folder, kind, **settings):
        self.folder, self.kind, self.settings = folder, kind, settings
        self.recordings, self.text = folder / "recordings.parquet", folder / "text.txt"

    def build(self, seed=0):
        common = {"settings": self.settings, "seed": seed, "phone_map": PHONE_MAP}
        common["reader"] = f"corpora.{self.kind}:make_corpus"
        write_recorded(
            **common,
            cutting=CutSettings(min_seconds=0.0, max_seconds=40.0),
            vad=VadSettings(method="energy", threshold_db=-40.0, min_silence_ms=200, margin_ms=30),
            sample_rate_hz=16000,
            threads=1,
            recordings=self.recordings,
            audio=self.folder / "pieces",
            cuts=self.folder / "cuts.parquet",
        )
        write_unpaired(**common, text=self.text)
        table = RecordingTable.read(self.recordings)
        return {split: table.loc[table["split"] == split, "utterance"].tolist() for split in SPLITS}

    def lines(self):
        return self.text.read_text(encoding="utf-8").splitlines()

    def references(self, language="en-us"):
        write_references(
            reader=f"corpora.{self.kind}:make_references",
            settings=self.settings,
            language=language,
            phonemize=ESPEAK,
            recordings=self.recordings,
            phone_map=PHONE_MAP,
            **{f"references_{split}": self.folder / f"{split}.parquet" for split in SPLITS},
        )
        return {split: ReferenceTable.by_utterance(self.folder / f"{split}.parquet") for split in SPLITS}

from pathlib import Path

import pytest
import soundfile
import spoken_text


def test_first_lines_are_spoken_and_the_others_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.txt").write_text("bir iki\nüç dört\nbeş altı\n", encoding="utf-8")
    folder = tmp_path / "corpus"
    monkeypatch.setattr("sys.argv", ["spoken_text", str(tmp_path / "text.txt"), "tr", str(folder), "--lines", "2"])
    spoken_text.main()
    assert (folder / "transcripts.tsv").read_text(encoding="utf-8") == "00000.wav\tbir iki\n00001.wav\tüç dört\n"
    assert (folder / "text.txt").read_text(encoding="utf-8") == "beş altı\n"
    assert all(soundfile.info(folder / f"audio/0000{number}.wav").duration > 0.3 for number in range(2))

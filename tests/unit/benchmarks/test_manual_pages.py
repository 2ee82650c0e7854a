"""Running text of manual pages, without their markup, in one language."""

import gzip
import sys
from pathlib import Path

import pytest
from manual_pages import clauses, main, paragraphs

PAGE = r""".\" a comment
.TH LS 1
.SH NOMBRE
ls \- listar el contenido de directorios
.B ls
Muestra información sobre los ficheros (del directorio \fIactual\fP por defecto). Los nombres, con 10 o más
letras, se escriben después de la fecha
the entries are sorted by name
"""


def test_clauses_have_words_alone() -> None:
    found = [clause for part in paragraphs(PAGE) for clause in clauses(part)]
    assert (
        found
        == [
            "muestra información sobre los ficheros",
            "del directorio actual por defecto",
            "se escriben después de la fecha the entries are sorted by name",
        ][:2]
    )


def test_pages_become_a_text_and_an_empty_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "man1").mkdir()
    for name in ("ls.1.gz", "dir.1.gz"):
        (tmp_path / "man1" / name).write_bytes(gzip.compress(PAGE.encode()))
    monkeypatch.setattr(sys, "argv", ["manual_pages.py", str(tmp_path), str(tmp_path / "text.txt")])
    main()
    assert len((tmp_path / "text.txt").read_text().splitlines()) == 2  # each clause once
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(sys, "argv", ["manual_pages.py", str(tmp_path / "empty"), str(tmp_path / "none.txt")])
    with pytest.raises(SystemExit, match="no clause of 4 to 15 words in the pages"):
        main()

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from unscribed import stage
from unscribed.errors import UserError

Run = Callable[[SimpleNamespace, Callable[..., None]], None]


@dataclass(frozen=True)
class VadSettings:
    method: str
    margin_ms: int


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """`call` takes over the root logger, as is right in a job of its own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()  # else pytest's own would be closed
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def job(folder: Path, **parts: Any) -> SimpleNamespace:
    """What Snakemake gives a script; named lists behave as dicts there."""
    empty = {"input": {}, "output": {}, "params": {}, "wildcards": {}, "threads": 4}
    return SimpleNamespace(log=[str(folder / "logs" / "vad.log")], **(empty | parts))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call a function of the test as if the job's rule had named it."""

    def call(job: SimpleNamespace, function: Callable[..., None]) -> None:
        monkeypatch.setattr(stage, "named_function", {function.__name__: function}.__getitem__)
        job.params = {**job.params, "call": function.__name__}
        stage.call(job)

    return call


def log_text(folder: Path) -> str:
    return (folder / "logs" / "vad.log").read_text(encoding="utf-8")


def test_arguments_come_by_name(tmp_path: Path, run: Run) -> None:
    calls = []

    def vad(*, manifest: str, regions: str, settings: VadSettings, rate: int, split: str, threads: int) -> None:
        calls.append((manifest, regions, settings, rate, split, threads))
        logging.getLogger("unscribed.audio").info("3 files")

    run(
        job(
            tmp_path,
            input={"code": ["vad.py"], "manifest": "m.parquet"},
            output={"regions": "r.npy", "index": "r.parquet", "labels_index": "l.parquet"},
            params={"settings": {"method": "energy", "margin_ms": 30}, "rate": 16000},
            wildcards={"split": "train", "seed": "0"},
        ),
        vad,
    )
    assert calls == [("m.parquet", "r.npy", VadSettings("energy", 30), 16000, "train", 4)]
    assert log_text(tmp_path).endswith(" 3 files\n")


def test_a_file_wins_over_the_wildcard_of_its_name(tmp_path: Path, run: Run) -> None:
    """`finetune/{labels}/labels/{split}.parquet` may be called labels, `…/round{round}` a param round."""
    calls = []

    def spell(*, labels: str, split: str, round: int, seed: str) -> None:
        calls.append((labels, split, round, seed))

    run(
        job(
            tmp_path,
            input={"split": "in.parquet"},
            output={"labels": "out.parquet"},
            params={"round": 2},
            wildcards={"labels": "10min", "split": "train", "round": "1", "seed": "0", "index": "7"},
        ),
        spell,
    )
    assert calls == [("out.parquet", "in.parquet", 2, "0")]


def test_a_dict_stays_a_dict_where_none_else_is_wanted_and_threads_are_optional(tmp_path: Path, run: Run) -> None:
    calls = []

    def corpus(*, settings: dict[str, Any]) -> None:
        calls.append(settings)

    run(job(tmp_path, params={"settings": {"voice": "en-us"}}), corpus)
    assert calls == [{"voice": "en-us"}]


def test_a_users_mistake_is_one_line_without_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], run: Run
) -> None:
    def vad() -> None:
        try:
            raise OSError("the cause")
        except OSError as error:
            raise UserError("a.wav is empty: delete it") from error

    with pytest.raises(SystemExit) as ended:
        run(job(tmp_path), vad)
    assert ended.value.code == 1
    for text in (log_text(tmp_path), capsys.readouterr().err):
        assert text.endswith(" error: a.wav is empty: delete it\n") and text.count("\n") == 1


def test_a_defect_shows_its_traceback_and_its_owner(tmp_path: Path, run: Run) -> None:
    def vad() -> None:
        raise ZeroDivisionError("by zero")

    with pytest.raises(SystemExit) as ended:
        run(job(tmp_path), vad)
    assert ended.value.code == 1
    text = log_text(tmp_path)
    assert "vad failed; this is a defect of the workflow, not of your data" in text
    assert "Traceback" in text and "ZeroDivisionError: by zero" in text


def test_the_log_of_an_earlier_run_is_replaced(tmp_path: Path, run: Run) -> None:
    for text in ("first", "second"):
        run(job(tmp_path), lambda text=text: logging.info(text))
    assert "first" not in log_text(tmp_path) and "second" in log_text(tmp_path)


def test_a_job_calls_the_function_that_its_rule_names(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("Ein Satz.\n", encoding="utf-8")
    settings = {"min_words": 1, "max_words": 9, "on_digits": "drop", "on_foreign_script": "drop"}
    stage.call(
        job(
            tmp_path,
            input={"code": ["normalize.py"], "text": str(tmp_path / "in.txt")},
            output={"normalized": str(tmp_path / "out.txt"), "report": str(tmp_path / "report.json")},
            params={"call": "text.normalize:normalize", "settings": settings, "language": "de"},
        )
    )
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == "ein satz\n"


@pytest.mark.parametrize("name", ["text.normalize:normalise", "text.nothing:normalize"])
def test_a_function_that_cannot_be_imported_is_a_defect(tmp_path: Path, name: str) -> None:
    with pytest.raises(SystemExit) as ended:
        stage.call(job(tmp_path, params={"call": name}))
    assert ended.value.code == 1
    assert f"{name} failed; this is a defect of the workflow" in log_text(tmp_path)

"""The command line as users call it: output, files, exit status."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
from helpers.toy_recogniser import RATE, Toy

from unscribed.artifacts import read_json, write_json
from unscribed.cli.main import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Calls the command; returns its exit status, output and messages."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["unscribed", *map(str, arguments)])
        try:
            main()
            status = 0
        except SystemExit as ended:
            status = int(ended.code or 0)
        return (status, *capsys.readouterr())

    return call


@pytest.fixture
def folder(toy: Toy, recording: Path, tmp_path: Path) -> Path:
    """Two recordings in sub-folders, and files that are none."""
    inside = tmp_path / "field"
    (inside / "monday").mkdir(parents=True)
    recording.rename(inside / "monday/one.wav")
    soundfile.write(inside / "two.flac", toy.say(["ba"]), RATE)
    (inside / "notes.txt").write_text("not audio")
    return inside


def test_a_file_is_printed(run: Run, toy: Toy, recording: Path) -> None:
    status, printed, told = run("transcribe", recording, "--model", toy.folder)
    assert (status, printed) == (0, "ca ba kah\n")
    assert "1 file, " in told and "× real time" in told


def test_several_files_are_named(run: Run, toy: Toy, folder: Path) -> None:
    status, printed, _ = run("transcribe", folder, "--model", toy.folder.parent, "--threads", 1)
    assert (status, printed) == (0, f"{folder}/monday/one.wav\tca ba kah\n{folder}/two.flac\tba\n")
    assert run("transcribe", f"{folder}/**/*.wav", "-m", toy.folder)[1] == "ca ba kah\n"


def test_files_of_a_folder_get_their_transcripts_in_one_like_it(run: Run, toy: Toy, folder: Path) -> None:
    output = folder.parent / "transcripts"
    assert run("transcribe", folder, "-m", toy.folder, "-f", "txt,srt,textgrid", "-o", output)[:2] == (0, "")
    names = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    assert names == {f"{name}.{kind}" for name in ("monday/one", "two") for kind in ("txt", "srt", "TextGrid")}
    assert (output / "monday/one.txt").read_text() == "ca ba kah\n"


def test_files_that_differ_in_their_suffix_alone_keep_it(run: Run, toy: Toy, folder: Path) -> None:
    soundfile.write(folder / "two.wav", toy.say(["ca"]), RATE)
    run("transcribe", folder, "-m", toy.folder, "-o", folder / "out")
    assert {path.name for path in (folder / "out").glob("two*")} == {"two.flac.txt", "two.wav.txt"}


def test_a_damaged_file_does_not_stop_the_others(run: Run, toy: Toy, folder: Path) -> None:
    (folder / "broken.wav").write_bytes(b"RIFF and nothing else")
    status, printed, told = run("transcribe", folder, "-m", toy.folder)
    assert status == 1 and printed.count("\n") == 2
    assert "broken.wav is damaged" in told and "1 could not be read" in told and "Traceback" not in told


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["nowhere.wav", "-m", "MODEL"], 1, "error: nowhere.wav: there is no such file"),
        (["AUDIO", "-m", "nowhere"], 1, "error: nowhere is no recogniser"),
        (["AUDIO", "-m", "MODEL", "-f", "docx"], 1, "error: --format docx is not known: use txt, json"),
        (["AUDIO", "-m", "MODEL", "-f", "srt"], 1, "name their folder with --output"),
        (["AUDIO"], 2, "--model"),
        (["AUDIO", "-m", "MODEL", "--threads", "0"], 2, "--threads"),
    ],
)
def test_mistakes_are_named(
    run: Run, toy: Toy, recording: Path, arguments: list[str], status: int, message: str
) -> None:
    given = [{"AUDIO": recording, "MODEL": toy.folder}.get(argument, argument) for argument in arguments]
    found, printed, told = run("transcribe", *given)
    assert (found, printed) == (status, "") and message in told and "Traceback" not in told


def test_two_files_of_one_name_are_refused(run: Run, toy: Toy, folder: Path) -> None:
    (folder / "one.wav").write_bytes((folder / "monday/one.wav").read_bytes())
    status, _, told = run("transcribe", folder / "one.wav", folder / "monday/one.wav", "-m", toy.folder)
    assert status == 1 and "would have the same transcript" in told


def test_export_and_inspect(run: Run, toy: Toy, tmp_path: Path) -> None:
    status, printed, _ = run("export", toy.folder.parent, tmp_path / "out")
    assert status == 0 and f"unscribed transcribe FILE --model {tmp_path}/out" in printed
    assert "corpus: toy" in run("inspect", tmp_path / "out")[1]
    assert run("export", tmp_path, tmp_path / "other")[0] == 1


def test_summary(run: Run, tmp_path: Path) -> None:
    status, _, told = run("summary", tmp_path)
    assert status == 1 and "metrics.json does not exist: run the workflow first" in told
    write_json(tmp_path / "metrics.json", {"audio.hours": 1.5})
    assert "1.50 h" in run("summary", tmp_path)[1]


@pytest.mark.parametrize(
    ("verdict", "warning"), [("doubtful", "many words are guesses"), ("did not learn", "did not learn")]
)
def test_words_of_a_bad_recogniser_come_with_a_warning(
    run: Run, toy: Toy, recording: Path, tmp_path: Path, verdict: str, warning: str
) -> None:
    shutil.copytree(toy.folder, tmp_path / "bad")
    card = read_json(toy.folder / "recogniser.json")
    write_json(tmp_path / "bad/recogniser.json", card | {"verdict": verdict})
    status, printed, told = run("transcribe", recording, "-m", tmp_path / "bad")
    assert (status, printed) == (0, "ca ba kah\n") and "warning: " in told and warning in told


@pytest.mark.parametrize("command", ["transcribe", "export", "summary", "inspect", "doctor"])
def test_every_command_shows_an_example(run: Run, command: str) -> None:
    status, printed, _ = run(command, "--help")
    assert status == 0 and f"Example: unscribed {command} " in printed

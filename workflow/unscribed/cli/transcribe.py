"""`unscribed transcribe`: recordings on the command line to transcripts in files or on the screen."""

import glob
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from unscribed.audio.io import AUDIO_SUFFIXES
from unscribed.audio.stream import seconds_of
from unscribed.errors import UserError
from unscribed.evaluation.verdict import DOUBTFUL, NOT_LEARNED
from unscribed.recogniser.formats import FORMATS, SUFFIXES
from unscribed.recogniser.recogniser import Heard, Recogniser
from unscribed.recogniser.transcript import Transcript, Utterance

# By the verdict on the run that a recogniser comes from.
WARNINGS = {
    DOUBTFUL: "the run that this recogniser comes from has learned some of the language only: many words are guesses.",
    NOT_LEARNED: "the run that this recogniser comes from did not learn: its words come from its text, not from audio.",
}


def transcribe_all(
    recordings: Sequence[str], model: Path, formats: Sequence[str], output: Path | None, threads: int | None
) -> int:
    """Transcribe files, folders and globs; return the number of files that could not be read.

    With `output` every file gets one file per format there, of the same name, and in the same sub-folder if it comes
    from a folder; else the text is printed, with the file's name before each line if there are several. What cannot be
    read is reported on stderr, and the others go on. Raises UserError for wrong arguments and a damaged model.
    """
    if unknown := [name for name in formats if name not in FORMATS]:
        raise UserError(f"--format {unknown[0]} is not known: use {', '.join(FORMATS)}.")
    if output is None and list(formats) != ["txt"]:
        raise UserError("--format writes files: name their folder with --output FOLDER.")
    files = find_recordings(recordings)
    places = output_names(files)
    recogniser = Recogniser(model, threads)
    if warning := WARNINGS.get(recogniser.card.verdict):
        print(f"warning: {warning}", file=sys.stderr)
    started, seconds, failed = time.monotonic(), 0.0, 0
    for path in files:
        try:
            transcript = _transcribe(recogniser, path, output is None, len(files) > 1)
        except UserError as error:
            failed += 1
            print(f"error: {error}", file=sys.stderr)
            continue
        seconds += transcript.seconds
        for name in formats if output else ():
            FORMATS[name](transcript, output / f"{places[path]}.{SUFFIXES[name]}")
    print(_speed(len(files) - failed, failed, seconds, time.monotonic() - started), file=sys.stderr)
    return failed


def find_recordings(arguments: Sequence[str]) -> dict[Path, Path]:
    """Return the audio files of the arguments, each with its path within the folder it was found in.

    Raises UserError for an argument without any.
    """
    files: dict[Path, Path] = {}
    for argument in arguments:
        matching = [argument] if Path(argument).exists() else sorted(glob.glob(argument, recursive=True))
        found: dict[Path, Path] = {}
        for path in map(Path, matching):
            inside = [file for file in sorted(path.rglob("*")) if file.is_file()] if path.is_dir() else []
            found |= {file: file.relative_to(path) for file in inside if file.suffix.lower() in AUDIO_SUFFIXES}
            found |= {} if path.is_dir() else {path: Path(path.name)}
        if not found:
            kinds = ", ".join(sorted(AUDIO_SUFFIXES))
            raise UserError(f"{argument}: there is no such file, nor a folder with audio in it ({kinds}).")
        files |= found
    return files


def output_names(files: dict[Path, Path]) -> dict[Path, Path]:
    """Return the path within the output folder of each file's transcripts, without the suffix of their format.

    It is that of the file without its suffix, or with it where two files differ in nothing else. Raises UserError if
    two files from different folders have one name.
    """
    stems = {path: inner.with_suffix("") for path, inner in files.items()}
    counts = Counter(stems.values())
    names = {path: stem if counts[stem] == 1 else files[path] for path, stem in stems.items()}
    for name, count in Counter(names.values()).items():
        if count > 1:
            same = [str(path) for path, other in names.items() if other == name]
            raise UserError(f"{' and '.join(same)} would have the same transcript: give them in runs of their own.")
    return names


def _transcribe(recogniser: Recogniser, path: Path, shown: bool, several: bool) -> Transcript:
    """Transcribe one file with a progress bar; print its text if it is `shown`."""
    heard = Heard(path, recogniser.card.sample_rate_hz)
    utterances = []
    for utterance in _with_progress(heard, recogniser):
        utterances.append(utterance)
        if shown and utterance.words:
            tqdm.write(f"{path}\t{utterance.text}" if several else utterance.text)
            sys.stdout.flush()
    return Transcript(path, heard.seconds, utterances)


def _with_progress(heard: Heard, recogniser: Recogniser) -> Iterator[Utterance]:
    """The utterances of a file, with a bar of the seconds that are recognised, if stderr is a terminal."""
    form = "{desc} {percentage:3.0f} %|{bar}| {n:.0f}/{total:.0f} s of audio, {remaining} left"
    total = seconds_of(heard.path) if Path(heard.path).is_file() else None
    with tqdm(total=total, desc=Path(heard.path).name, disable=None, bar_format=form if total else None) as bar:
        for utterance in recogniser.utterances(heard):
            bar.update(max(0.0, utterance.end - bar.n))
            yield utterance


def _speed(files: int, failed: int, seconds: float, taken: float) -> str:
    """One line on what was done."""
    done = f"{files} file{'s' * (files != 1)}, {seconds / 60:.1f} min of audio in {taken:.1f} s"
    done += f" ({seconds / max(taken, 1e-6):.0f} × real time)"
    return f"{done}; {failed} could not be read" if failed else done

"""Make a corpus of one's own out of a text: its first lines spoken by eSpeak NG, the others as unpaired text.

    python benchmarks/spoken_text.py text.txt fr-fr data/french --lines 1500

writes data/french/audio/*.wav, transcripts.tsv (for error rates) and text.txt. Set these paths in a copy of
config/corpora/own.yaml, with `teacher: {candidate: false}`, because the synthesiser of audio and teacher would be one.
The text may come from benchmarks/manual_pages.py.
"""

import argparse
from pathlib import Path

import soundfile

from unscribed.corpora.espeak import Synthesizer
from unscribed.corpora.synthetic import int16_samples

RATE = 16000


def main() -> None:
    """Parse the command line and write the corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path, help="a sentence per line")
    parser.add_argument("voice", help="eSpeak NG's code of the language, for example tr")
    parser.add_argument("folder", type=Path, help="new folder for the corpus")
    parser.add_argument("--lines", type=int, default=1500, help="how many are spoken (default 1500)")
    parser.add_argument("--rate", type=int, default=160, help="words per minute (default 160)")
    arguments = parser.parse_args()
    lines = arguments.text.read_text(encoding="utf-8").splitlines()
    spoken, rest = lines[: arguments.lines], lines[arguments.lines :]
    (arguments.folder / "audio").mkdir(parents=True)
    seconds, rows = 0.0, []
    with Synthesizer(arguments.voice, arguments.rate, RATE) as synthesizer:
        for number, line in enumerate(spoken):
            samples, _ = synthesizer.speak(line)
            name = f"{number:05}.wav"
            soundfile.write(arguments.folder / "audio" / name, int16_samples(samples), RATE)
            rows.append(f"{name}\t{line}\n")
            seconds += len(samples) / RATE
    (arguments.folder / "transcripts.tsv").write_text("".join(rows), encoding="utf-8")
    (arguments.folder / "text.txt").write_text("".join(f"{line}\n" for line in rest), encoding="utf-8")
    print(f"{len(spoken)} lines spoken, {seconds / 3600:.2f} h; {len(rest)} lines of text")


if __name__ == "__main__":
    main()

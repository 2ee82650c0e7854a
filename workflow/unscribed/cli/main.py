"""The command `unscribed`: transcribe files, show what the workflow made, check an installation.

Exit status: 0 if all went well, 1 for a problem that a message names, 2 for wrong arguments.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from unscribed.errors import UserError

app = typer.Typer(
    name="unscribed",
    help="Speech recognition learned from untranscribed audio and unrelated text.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; a UserError becomes its message and status 1."""
    try:
        app()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


@app.command()
def transcribe(
    recordings: Annotated[list[str], typer.Argument(metavar="FILE|FOLDER|GLOB…", help="audio of any length and form")],
    model: Annotated[Path, typer.Option("--model", "-m", help="recogniser: an exported folder, or results/NAME")],
    formats: Annotated[
        str, typer.Option("--format", "-f", help="of txt, json, srt, vtt, textgrid, ctm, parquet; several with commas")
    ] = "txt",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="folder for the transcripts; without it text is printed")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="default: all cores")] = None,
) -> None:
    """Write down what is said in recordings.

    Example: unscribed transcribe interview.mp3 --model results/demo --format txt,srt --output transcripts
    """
    from unscribed.cli.transcribe import transcribe_all

    failed = transcribe_all(recordings, model, formats.split(","), output, threads)
    if failed:
        raise typer.Exit(1)


@app.command()
def export(
    results: Annotated[Path, typer.Argument(help="results of a corpus, for example results/demo")],
    folder: Annotated[Path, typer.Argument(help="new folder for the recogniser")],
) -> None:
    """Make a recogniser that needs nothing of the workflow: one folder, with a model card.

    Example: unscribed export results/demo demo-recogniser
    """
    from unscribed.recogniser.export import export_recogniser

    size = export_recogniser(results, folder)
    print(f"{folder}: {size / 1e6:.1f} MB. Next: unscribed transcribe FILE --model {folder}")


@app.command()
def summary(results: Annotated[Path, typer.Argument(help="results of a corpus, for example results/demo")]) -> None:
    """Print the main figures of a corpus and the files to open next.

    Example: unscribed summary results/demo
    """
    from unscribed.evaluation.summary import print_summary

    print_summary(results / "metrics.json", results)


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="any file that the workflow made, or a recogniser")],
    rows: Annotated[int, typer.Option(min=1, help="of tables and texts to show")] = 5,
    picture: Annotated[Path | None, typer.Option(help="write a frame store's first utterance as a PNG")] = None,
) -> None:
    """Show what an artifact holds: columns, counts, ranges, first rows.

    Example: unscribed inspect results/demo/words/test.parquet
    """
    from unscribed.cli.inspect import describe, draw

    print("\n".join(describe(path, rows)))
    if picture:
        draw(path, picture)
        print(f"written: {picture}")


@app.command()
def tensorboard(
    results: Annotated[Path, typer.Argument(help="results of a corpus, for example results/demo")],
    folder: Annotated[Path, typer.Argument(help="new folder for the event files")],
) -> None:
    """Write the curves of all trainings as TensorBoard's event files.

    Example: unscribed tensorboard results/demo curves && tensorboard --logdir curves
    """
    from unscribed.cli.tensorboard import write_events

    names = write_events(results, folder)
    print(f"{len(names)} trainings: {', '.join(names[:5])}{', …' if len(names) > 5 else ''}")
    print(f"Next: tensorboard --logdir {folder}")


@app.command()
def doctor(
    configfile: Annotated[list[Path] | None, typer.Option("--configfile", "-c", help="configuration to check")] = None,
) -> None:
    """Check the installation, and a configuration with its data, before hours are spent.

    Example: unscribed doctor --configfile my.yaml
    """
    from unscribed.cli.doctor import examine

    if not examine(configfile or []):
        raise typer.Exit(1)

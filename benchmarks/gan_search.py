"""Follow GAN runs with the phone error rate of the split valid, to find what decides convergence (an experiment).

It made the table and the figure of docs/gan.md. It uses the transcripts of valid to search for settings, so it stays
outside the workflow: results with settings found on the same corpus are not unsupervised.

    python benchmarks/gan_search.py results/demo config/gan/random.yaml --curves random.parquet
    python benchmarks/gan_search.py --figure docs/gan.png random.parquet others.parquet

The YAML file has a section `gan` as in the configuration; all its runs train side by side in one process, as in the
workflow, from the segments in the results folder. Only the phone error rates use transcripts, never the training.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import torch
import yaml

from unscribed.config.schema import complete
from unscribed.devices import device_of
from unscribed.evaluation.per import phone_error_rate
from unscribed.evaluation.scoring import scored_references
from unscribed.figures.style import save, style
from unscribed.frames import FrameStore
from unscribed.gan.batches import Sequences, read_segments, read_sentences
from unscribed.gan.check import LabelFreeScorer
from unscribed.gan.generator import Shape
from unscribed.gan.model import Generators
from unscribed.gan.runs import GanSettings, run_label
from unscribed.gan.train import new_trainer, start_warm
from unscribed.gan.trainer import GanTrainer, TrainingData
from unscribed.gan.warm_start import read_segment_labels
from unscribed.plan.gan import GanPlan
from unscribed.text.arpa import Arpa
from unscribed.text.silence import SilenceSettings

SCHEMA = Path(__file__).parents[1] / "workflow/schemas/config.schema.yaml"


def main() -> None:
    """Parse the command line; train and print, or draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="results folder and settings, or tables of curves")
    parser.add_argument("--curves", type=Path, help="Parquet table to write the curves to")
    parser.add_argument("--figure", type=Path, help="figure to draw from tables of curves")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU (default 1)")
    parser.add_argument("--utterances", type=int, help="train on the first N utterances only")
    parser.add_argument("--sentences", type=int, help="train on the first N sentences of the text only")
    parser.add_argument("--join", type=int, default=1, help="join every N utterances into one, and every N sentences")
    arguments = parser.parse_args()
    if arguments.figure:
        draw(
            pd.concat(map(pd.read_parquet, arguments.files), keys=[path.stem for path in arguments.files]),
            arguments.figure,
        )
        return
    torch.set_num_threads(arguments.threads)
    results, settings = arguments.files
    config = complete({"corpus": {"name": "search", "kind": "espeak"}, **yaml.safe_load(settings.read_text())}, SCHEMA)
    rows = []
    for row in follow(results, config, arguments):
        print(
            "{update:6d}  PER {per:.3f}  perplexity {perplexity:6.1f}  usage {usage:.2f}  {label}".format(**row),
            flush=True,
        )
        rows.append(row)
    if arguments.curves:
        pd.DataFrame(rows).to_parquet(arguments.curves)


def follow(results: Path, config: dict, arguments: argparse.Namespace) -> Iterator[dict]:
    """Train all runs of the section `gan`; yield a row per run and check."""
    section, phones = config["gan"], (results / "phonemize/phones.txt").read_text(encoding="utf-8").split()
    settings = GanSettings(**{name: section[name] for name in GanSettings.__dataclass_fields__})
    plan = GanPlan.from_config(config)
    runs, folder = plan.runs, Path(plan.folder.replace("<results>", str(results)))
    trainer = prepare(results, plan, settings, phones, arguments)
    references = scored_references(results / "references/valid.parquet", results / "manifest/valid.parquet").phones
    order = config["hmm"]["lm_order"]
    silence = SilenceSettings(**config["silence"])
    scorer = LabelFreeScorer(Arpa.read(results / f"phone_lm/{order}gram.arpa"), phones, silence)
    valid, names = (
        read_segments(folder / "valid.npy", trainer.device),
        FrameStore(folder / "valid.npy").utterances,
    )
    started = time.monotonic()
    for update in range(settings.updates + 1):
        if update % settings.check_every == 0:
            generators = Generators(trainer.averaged, trainer.statistics, phones, settings.stride)
            decoded = list(generators.transcribe(valid))
            for place, run in enumerate(runs):
                hypotheses = {
                    name: [phones[phone] for phone in one[place][0]] for name, one in zip(names, decoded, strict=True)
                }
                score = scorer.score(list(hypotheses.values()))
                yield {
                    "label": run_label(run),
                    "update": update,
                    "seconds": time.monotonic() - started,
                    "per": phone_error_rate(references, hypotheses),
                    "perplexity": score.lm_perplexity,
                    "usage": score.usage,
                }
        trainer.update(update)


def prepare(
    results: Path,
    plan: GanPlan,
    settings: GanSettings,
    phones: list[str],
    arguments: argparse.Namespace,
) -> GanTrainer:
    """Build the trainer with the initial weights of each run."""
    device = device_of(settings.device, "gan.device")
    folder = Path(plan.folder.replace("<results>", str(results)))
    store = FrameStore(folder / "train.npy")
    audio = part(read_segments(folder / "train.npy", device), arguments.utterances, arguments.join)
    sentences = read_sentences(results / "silence/phones.txt", phones, device)
    data = TrainingData(audio, part(sentences, arguments.sentences, arguments.join), None)
    shape = Shape(store.data.shape[1], len(phones), settings.kernel, settings.stride, settings.residual, 0)
    trainer = new_trainer(data, shape, settings, plan.runs, device)
    labels = {}
    for start, path in zip(plan.starts, plan.labels, strict=True):
        decoded, boundaries = path.replace("<results>", str(results)), folder / "train.boundaries.parquet"
        every = read_segment_labels(decoded, store, boundaries, phones, device)
        labels[start] = part(every, arguments.utterances, arguments.join)
    start_warm(trainer, plan.runs, labels)
    return trainer


def part(every: Sequences, count: int | None, join: int) -> Sequences:
    """Take the first `count` sequences (None: all), every `join` of them joined into one; drop an incomplete rest."""
    offsets = every.offsets[: (count or len(every)) + 1 : join].cpu().numpy()
    return Sequences(every.data[: offsets[-1]].cpu().numpy(), offsets, every.data.device)


def draw(curves: pd.DataFrame, figure: Path) -> None:
    """Draw the phone error rate over updates, a line per run, a panel per table."""
    names = list(dict.fromkeys(curves.index.get_level_values(0)))
    with style():
        drawing, panels = plt.subplots(1, len(names), figsize=(5 * len(names), 4), layout="constrained", squeeze=False)
        for axes, name in zip(panels[0], names, strict=True):
            for label, rows in curves.loc[name].groupby("label", sort=False):
                axes.plot(rows["update"], 100 * rows["per"], label=label, linewidth=1.5)
            axes.set(title=name, xlabel="update", ylabel="phone error rate of valid (%)", ylim=(0, 110))
            axes.grid(axis="y", color="#E4E4E4", linewidth=0.8)
            axes.legend(fontsize=7)
        save(drawing, figure)


if __name__ == "__main__":
    main()

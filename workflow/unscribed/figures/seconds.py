"""Figure of the time and memory of each stage."""

import matplotlib.pyplot as plt

from unscribed.artifacts import Pathlike, read_json
from unscribed.figures.style import BLUE, save, save_note, style


def seconds_figure(*, metrics: Pathlike, figure: Pathlike) -> None:
    """Draw seconds and peak memory of each stage as horizontal bars, the longest on top."""
    values = read_json(metrics)
    stages = {key.removeprefix("seconds."): value for key, value in values.items() if key.startswith("seconds.")}
    with style():
        if not stages:
            save_note("No benchmark files: the time of the stages is not known.", figure)
            return
        names = sorted(stages, key=lambda name: stages[name])
        total = sum(stages.values())
        drawing, axes = plt.subplots(figsize=(8, 1.2 + 0.28 * len(names)), layout="constrained")
        axes.barh(names, [stages[name] for name in names], color=BLUE, height=0.7)
        for row, name in enumerate(names):
            memory = values.get(f"memory_mb.{name}")
            peak = "" if memory is None else f"  ·  {memory:,.0f} MB"
            axes.annotate(
                f"{_duration(stages[name])}  ·  {_share(stages[name], total)}{peak}",
                (stages[name], row),
                (5, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
        axes.margins(y=0.02)
        axes.set_xlim(0, 1.4 * max(stages.values()) or 1)
        axes.set_title(f"Seconds by stage ({_duration(total)} of work in all; share, peak memory)")
        axes.set_xlabel("seconds, added up over the stage's jobs")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        save(drawing, figure)


def _share(part: float, total: float) -> str:
    percent = 100 * part / max(total, 1e-9)
    return f"{percent:.0f} %" if percent >= 1 else "< 1 %"


def _duration(seconds: float) -> str:
    """Format seconds: 4.2 s, 3 min 20 s, 1 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"

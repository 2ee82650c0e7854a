"""Figure of the error rate after each step of the HMM self-training."""

import matplotlib.pyplot as plt

from unscribed.artifacts import Pathlike, read_json
from unscribed.figures.style import BLUE, GREEN, GREY, save, save_note, style

STEP = "test.per.hmm.step"


def hmm_figure(*, metrics: Pathlike, figure: Pathlike) -> None:
    """Draw the phone error rates of the test set: chosen candidate, each HMM step, phones of the decoded words."""
    values = read_json(metrics)
    steps = sorted(int(key.removeprefix(STEP)) for key in values if key.startswith(STEP))
    bars = [("before", "test.per", GREY)]
    bars += [(f"HMM step {step}", f"{STEP}{step}", BLUE) for step in steps]
    bars += [("words", "test.words.per", GREEN)]
    known = [(name, 100 * values[key], colour) for name, key, colour in bars if key in values]
    with style():
        if not steps or not known:
            save_note("No transcripts for the test set: the error rate of the HMM steps is not known.", figure)
            return
        names, rates, colours = zip(*known, strict=True)
        drawing, axes = plt.subplots(figsize=(max(5.5, 1.2 * len(names)), 4), layout="constrained")
        axes.bar(range(len(names)), rates, color=colours, width=0.65)
        for place, rate in enumerate(rates):
            axes.annotate(f"{rate:.1f}", (place, rate), (0, 3), textcoords="offset points", ha="center", size=9)
        axes.set_xticks(range(len(names)), names)
        axes.tick_params(axis="x", length=0)
        axes.set(title="Phone error rate of the test set", ylabel="phone error rate (%)")
        axes.margins(y=0.15)
        save(drawing, figure)

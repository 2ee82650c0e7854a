"""The table of the GAN's training curves, which training writes and figures read."""

from typing import ClassVar

from unscribed.gan.penalties import loss_columns
from unscribed.tables import REAL, TEXT, WHOLE, Table


class GanCurveTable(Table):
    """Losses and label-free scores of every run at each check; a loss that is not computed is null."""

    SCHEMA: ClassVar = {
        **{"run": WHOLE, "label": TEXT, "update": WHOLE, "seconds": REAL},
        **dict.fromkeys(loss_columns(), REAL),
        **dict.fromkeys(("usage", "lm_perplexity", "weighted_perplexity", "phones_per_utterance"), REAL),
        "status": TEXT,
    }

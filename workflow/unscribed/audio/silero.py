"""Speech marked by the model of silero-vad, which comes with its package.

Dimensions: N samples, M cells, B recordings of a batch.
"""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from silero_vad import load_silero_vad

PROBABILITY = 0.5  # of speech, from which a cell is marked: the default of silero-vad


class Silero:
    """The model for cells of `cell` samples at `sample_rate_hz`; each thread has its own, as models have states."""

    def __init__(self, sample_rate_hz: int, cell: int) -> None:
        torch.set_num_threads(1)  # each thread takes whole batches
        self.rate, self.cell = sample_rate_hz, cell
        self._local = threading.local()

    def marks(self, batch: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Mark the cells of speech of each recording (N,) of a batch, bool (M,)."""
        lengths = [-(-len(samples) // self.cell) for samples in batch]
        padded = torch.zeros(len(batch), max(lengths), self.cell)  # the model is causal: padding changes nothing
        for row, samples in zip(padded, batch, strict=True):
            row.view(-1)[: len(samples)] = torch.from_numpy(samples)
        model = self._model()
        model.reset_states()
        with torch.inference_mode():
            cells = [model(step, self.rate) for step in padded.unbind(1)]
        probabilities = torch.cat(cells, dim=1).numpy()  # (B, M)
        return [row[:length] > PROBABILITY for row, length in zip(probabilities, lengths, strict=True)]

    def _model(self) -> Any:
        """The calling thread's own model."""
        if not hasattr(self._local, "model"):
            self._local.model = load_silero_vad()
        return self._local.model

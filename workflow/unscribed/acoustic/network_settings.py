"""Settings of the convolutional frame classifier, which a stage can read without loading torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkSettings:
    """Size and training of a network, from the section `teacher`."""

    channels: int
    dropout: float
    updates: int
    batch_utterances: int
    max_seconds: float
    learning_rate: float
    label_smoothing: float

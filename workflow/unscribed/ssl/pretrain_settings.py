"""The settings of a pretraining."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PretrainSettings:
    """Section `pretrain` of the configuration, without the keys for sizes of the model, targets and languages."""

    objective: str
    updates: int
    batch_seconds: float
    accumulation: int
    max_seconds: float
    learning_rate: float
    warmup: float
    weight_decay: float
    mask_probability: float
    mask_frames: int
    negatives: int
    contrastive_temperature: float
    diversity_weight: float
    features_penalty: float
    encoder_gradient: float
    gumbel_temperature: list[float]
    unmasked_weight: float
    precision: str
    device: str
    processes: int
    check_every: int
    seed: int

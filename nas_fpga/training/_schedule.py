"""The learning rate from epoch to epoch."""

from __future__ import annotations

import math

from nas_fpga.space import TrainingSettings


def learning_rate(settings: TrainingSettings, epoch: int) -> float:
    """Return the learning rate of an epoch, counted from 0: half a cosine over all epochs."""
    phase = 0.5 * (1 + math.cos(math.pi * epoch / settings.epochs))
    return settings.learning_rate * (settings.learning_rate_decay + (1 - settings.learning_rate_decay) * phase)

"""Training: Keras models of candidates, and the quantized networks that come out. Importing this needs no Keras."""

from nas_fpga.training._base import LearningCurve, Trainer, TrainingFailure, TrainingJob, TrainingResult
from nas_fpga.training._network import QuantizedLayer, QuantizedNetwork

__all__ = [
    "LearningCurve",
    "QuantizedLayer",
    "QuantizedNetwork",
    "Trainer",
    "TrainingFailure",
    "TrainingJob",
    "TrainingResult",
]

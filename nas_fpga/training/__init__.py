"""Training: Keras models of candidates, and the quantized networks that come out. Importing this needs no Keras."""

from nas_fpga.training._base import LearningCurve, Trainer, TrainingFailure, TrainingJob, TrainingResult
from nas_fpga.training._bootstrap import (
    GroupBootstrap,
    Interval,
    difference_interval,
    percentile_interval,
    ratio_interval,
)
from nas_fpga.training._calibration import calibrate, freeze
from nas_fpga.training._expected_time import ExpectedTime
from nas_fpga.training._integers import effective_bits, trailing_zeros
from nas_fpga.training._merits import (
    SIGNAL_EFFICIENCY,
    Curve,
    Merits,
    accuracy,
    average_precision,
    background_efficiency,
    class_scores,
    error_rate,
    evaluate,
    evaluate_binary,
    evaluate_multiclass,
    per_class_auc,
    predicted_classes,
    roc_auc,
    roc_curve,
    smooth_log10_background_efficiency,
    working_point,
)
from nas_fpga.training._network import QuantizedLayer, QuantizedNetwork
from nas_fpga.training._plan import Pack, plan
from nas_fpga.training._polish import POLISH_SAVING, polish_candidate, polish_epochs

__all__ = [
    "POLISH_SAVING",
    "SIGNAL_EFFICIENCY",
    "Curve",
    "ExpectedTime",
    "GroupBootstrap",
    "Interval",
    "LearningCurve",
    "Merits",
    "Pack",
    "QuantizedLayer",
    "QuantizedNetwork",
    "Trainer",
    "TrainingFailure",
    "TrainingJob",
    "TrainingResult",
    "accuracy",
    "average_precision",
    "background_efficiency",
    "calibrate",
    "class_scores",
    "difference_interval",
    "effective_bits",
    "error_rate",
    "evaluate",
    "evaluate_binary",
    "evaluate_multiclass",
    "freeze",
    "per_class_auc",
    "percentile_interval",
    "plan",
    "polish_candidate",
    "polish_epochs",
    "predicted_classes",
    "ratio_interval",
    "roc_auc",
    "roc_curve",
    "smooth_log10_background_efficiency",
    "trailing_zeros",
    "working_point",
]

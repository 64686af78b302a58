"""The value that every export starts from: a model under a mapping for a part, with what is known of it."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.hardware import HardwareFigures, Mapping, Target
from nas_fpga.training import QuantizedNetwork

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, eq=False)
class Design:
    """A model under a mapping for a part: what an export turns into a project.

    Attributes:
        title: One line for people: study and point, or the model's file.
        model: Raw features `(n, d)` to raw outputs `(n, n_outputs)`; HGQ2 layers, exact in fixed point.
        network: The integers that the model was rebuilt from; None for a model that was trained elsewhere.
        mapping: How it is laid on the FPGA.
        target: Part, clock, rate and limits.
        figures: What it costs under the mapping; None where no estimator knows the model.
        merits: Figures of merit by the names of ``front.csv``, plain values; empty where nothing was evaluated.
        threshold: Working point of two classes, on the output; None where there is none.
        feature_names: `d` names.
        feature_units: `d` units, empty where there is none.
        class_names: Names of the classes; of two the second is the signal.
        events: `(n, d)` float32 raw features of real events, for test benches and verification.
    """

    title: str
    model: keras.Model
    network: QuantizedNetwork | None
    mapping: Mapping
    target: Target
    figures: HardwareFigures | None
    merits: MappingOf[str, Any]
    threshold: float | None
    feature_names: tuple[str, ...]
    feature_units: tuple[str, ...]
    class_names: tuple[str, ...]
    events: NDArray[np.float32]

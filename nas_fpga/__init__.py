"""nas-fpga searches neural networks for FPGAs. Names are loaded when they are first used: importing this is quick."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_ROOMS = {
    "nas_fpga.data": ("Dataset", "Split", "load_hgcal", "load_jets", "read_dataset", "split"),
    "nas_fpga.space": ("BitWidths", "Candidate", "LearnedBits", "MLPSpace", "TrainingSettings"),
    "nas_fpga.samplers": ("Sampler",),
    "nas_fpga.training": ("QuantizedNetwork", "Trainer"),
    "nas_fpga.hardware": ("Estimator", "Figure", "Mapping", "StaticEstimator", "Target", "make_target"),
    "nas_fpga.study": ("SearchDefinition", "SearchOptions", "SearchRun", "StudyOutcome", "read_outcome"),
    "nas_fpga.export": ("hgq_model",),
    "nas_fpga.estimation": ("Estimate",),
    "nas_fpga.api": ("Study", "StudyPoint", "estimate", "open_study", "plot_front", "search"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

if TYPE_CHECKING:
    from nas_fpga.api import Study, StudyPoint, estimate, open_study, plot_front, search
    from nas_fpga.data import Dataset, Split, load_hgcal, load_jets, read_dataset, split
    from nas_fpga.estimation import Estimate
    from nas_fpga.export import hgq_model
    from nas_fpga.hardware import Estimator, Figure, Mapping, StaticEstimator, Target, make_target
    from nas_fpga.samplers import Sampler
    from nas_fpga.space import BitWidths, Candidate, LearnedBits, MLPSpace, TrainingSettings
    from nas_fpga.study import SearchDefinition, SearchOptions, SearchRun, StudyOutcome, read_outcome
    from nas_fpga.training import QuantizedNetwork, Trainer

__all__ = [
    "BitWidths",
    "Candidate",
    "Dataset",
    "Estimate",
    "Estimator",
    "Figure",
    "LearnedBits",
    "MLPSpace",
    "Mapping",
    "QuantizedNetwork",
    "Sampler",
    "SearchDefinition",
    "SearchOptions",
    "SearchRun",
    "Split",
    "StaticEstimator",
    "Study",
    "StudyOutcome",
    "StudyPoint",
    "Target",
    "Trainer",
    "TrainingSettings",
    "estimate",
    "hgq_model",
    "load_hgcal",
    "load_jets",
    "make_target",
    "open_study",
    "plot_front",
    "read_dataset",
    "read_outcome",
    "search",
    "split",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'nas_fpga' has no attribute '{name}'")
    return getattr(importlib.import_module(_ROOM_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""Conformance suites: subclass one in a test, give it the fixture that it names, and inherit its tests.

All of it, :class:`ColumnSpace` included, needs pytest: ``pip install pytest``, or ``'nas-fpga[test]'``.
"""

from nas_fpga.testing._columns import Column, ColumnSpace
from nas_fpga.testing._estimators import EstimatorConformance, MakeEstimator
from nas_fpga.testing._rungs import CostOf, RungConformance
from nas_fpga.testing._samplers import (
    ColumnConformance,
    GoalConformance,
    LearnedBitsConformance,
    MakeSampler,
    MakeSamplerFor,
    SamplerConformance,
    SearchedSettingsConformance,
)
from nas_fpga.testing._stand_ins import observe, observe_columns
from nas_fpga.testing._trainers import MakeTrainer, TrainerConformance, integers_of

__all__ = [
    "Column",
    "ColumnConformance",
    "ColumnSpace",
    "CostOf",
    "EstimatorConformance",
    "GoalConformance",
    "LearnedBitsConformance",
    "MakeEstimator",
    "MakeSampler",
    "MakeSamplerFor",
    "MakeTrainer",
    "RungConformance",
    "SamplerConformance",
    "SearchedSettingsConformance",
    "TrainerConformance",
    "integers_of",
    "observe",
    "observe_columns",
]

"""Conformance suites: subclass one in a test, give it the fixture that it names, and inherit its tests."""

from nas_fpga.testing._estimators import EstimatorConformance, MakeEstimator
from nas_fpga.testing._samplers import (
    LearnedBitsConformance,
    MakeSampler,
    SamplerConformance,
    SearchedSettingsConformance,
    observe,
)

__all__ = [
    "EstimatorConformance",
    "LearnedBitsConformance",
    "MakeEstimator",
    "MakeSampler",
    "SamplerConformance",
    "SearchedSettingsConformance",
    "observe",
]

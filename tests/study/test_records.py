"""What a trial's points come to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nas_fpga.hardware import MappedPoint, Mapping, estimate, make_target
from nas_fpga.space import BitWidths, Candidate
from nas_fpga.study import Outcome, Point, TrialRecord
from nas_fpga.training import Merits, QuantizedNetwork

NETWORKS = Path(__file__).parents[2] / "benchmarks" / "estimators" / "networks"
TARGET = make_target()
MERITS = Merits(0.9, 0.9, 0.9, -1.0, background_efficiency=0.1)


@pytest.mark.parametrize("of_latency", [0.99, 1.0, 1.01])
@pytest.mark.parametrize("latency_first", [True, False])
def test_of_mappings_that_cost_the_same_the_adders_are_taken(of_latency: float, latency_first: bool) -> None:
    network = QuantizedNetwork.load(NETWORKS / "hgcal-uniform-0.npz")
    figures = estimate(network, Mapping("distributed_arithmetic", (1, 1)), TARGET)
    scaled = replace(figures, lut=replace(figures.lut, value=of_latency * figures.lut.value))
    mapped = [
        MappedPoint(Mapping("latency", (1, 1)), scaled),
        MappedPoint(Mapping("distributed_arithmetic", (1, 1)), figures),
    ]
    points = [Point(0, k, 0, one, MERITS) for k, one in enumerate(mapped if latency_first else mapped[::-1])]
    trial = TrialRecord(0, Candidate((4,), BitWidths(3, 4)), 1, 0, "sampler", "complete", Outcome(tuple(points)))
    (taken,) = trial.of_networks(TARGET)
    assert taken.mapped.mapping.strategy == ("latency" if of_latency < 1 else "distributed_arithmetic")

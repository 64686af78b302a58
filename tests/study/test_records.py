"""What a trial's points come to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.hardware import MappedPoint, Mapping, estimate, log10_share, make_target
from nas_fpga.samplers import hypervolume
from nas_fpga.space import BitWidths, Candidate, LearnedBits
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


def test_the_telling_point_alone_dominates_most() -> None:
    """Hypervolume ends at an error of 1e-3: one that is eight times below it is worth no dearer network."""
    network = QuantizedNetwork.load(NETWORKS / "hgcal-uniform-0.npz")
    mapping = Mapping("distributed_arithmetic", (1, 1))
    figures = estimate(network, mapping, TARGET)
    dear, cheap = (
        replace(figures, lut=replace(figures.lut, value=lut, low=lut, high=lut)) for lut in (20_000.0, 8_000.0)
    )
    of = [(dear, -3.9), (cheap, -3.0)]
    points = [
        Point(0, k, k, MappedPoint(mapping, one), replace(MERITS, log10_error=log, background_efficiency=10**log))
        for k, (one, log) in enumerate(of)
    ]
    alone = [hypervolume(np.array([log]), np.array([log10_share(one.share(TARGET))])) for one, log in of]
    assert alone[1] > alone[0] > 0
    trial = TrialRecord(0, Candidate((4,), LearnedBits()), 1, 0, "sampler", "complete", Outcome(tuple(points)))
    assert trial.telling(TARGET) == points[1]

"""What every estimator has to keep, ours or not."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np
import pytest

from nas_fpga.data import InputFormat
from nas_fpga.hardware import RESOURCES, Estimator, Figure, HardwareFigures, MappedPoint, Target, make_target
from nas_fpga.space import BitWidths, Candidate
from nas_fpga.training import QuantizedLayer, QuantizedNetwork

MakeEstimator = Callable[[], Estimator]
"""A new estimator."""

_TARGETS = {
    "default": make_target(),
    "slow": make_target(rate_mhz=0.1, max_latency_ns=5000, objective="dsp"),
    "fast clock": make_target(clock_ns=2.5, rate_mhz=300, objective="latency"),
    "ranked at csynth": make_target(rank_stage="csynth"),
    "no DSPs": make_target(max_dsps=0, max_brams=0),
    "clock missed": make_target(clock_ns=1.0, rate_mhz=500),
    "nothing fits": make_target(max_luts=50, max_dsps=1, max_brams=1, max_latency_ns=5, objective="bram"),
}
_FIGURES = tuple(field.name for field in fields(HardwareFigures) if field.name != "copies")


def build_network(
    topology: Sequence[int], weight_bits: int, activation_bits: int, n_outputs: int = 1, density: float = 1.0
) -> QuantizedNetwork:
    """Return a network of 13 features with random weights, of which that share may be other than 0."""
    rng = np.random.default_rng(0)
    end = 2 ** (weight_bits - 1)
    layers: list[QuantizedLayer] = []
    for shape in itertools.pairwise((13, *topology, n_outputs)):
        last = len(layers) == len(topology)
        weights = rng.integers(-end, end, shape) * (rng.random(shape) < density)
        layers.append(
            QuantizedLayer(
                weights=weights.astype(np.int32),
                weight_fraction_bits=weight_bits - 1,
                bias=rng.integers(-end, end, shape[1]),
                bias_fraction_bits=weight_bits - 1,
                activation_bits=None if last else np.full(shape[1], activation_bits),
                activation_fraction_bits=None if last else np.full(shape[1], activation_bits - 1),
            )
        )
    nothing = np.zeros(13, np.int64)
    return QuantizedNetwork(
        Candidate(tuple(topology), BitWidths(weight_bits, activation_bits)),
        InputFormat(nothing + 10, np.zeros(13, np.bool_), nothing, nothing),
        tuple(layers),
    )


_NETWORKS = {
    "small": build_network((8,), 4, 4),
    "deep": build_network((20, 30, 5, 16), 6, 8),
    "a single neuron": build_network((1,), 2, 2),
    "too wide to unroll": build_network((80, 60), 3, 6, n_outputs=5),
    "sparse": build_network((32, 16), 8, 16, n_outputs=3, density=0.1),
    "all weights zero": build_network((16, 8), 6, 6, density=0.0),
}


class EstimatorConformance:
    """Tests of the contract of :class:`nas_fpga.hardware.Estimator`.

    A subclass gives the fixture ``make_estimator``: a function that makes the estimator under test.
    """

    @pytest.fixture
    def make_estimator(self) -> MakeEstimator:
        """Return a function that makes the estimator under test."""
        raise NotImplementedError("give the fixture make_estimator")

    @pytest.fixture(params=list(_NETWORKS))
    def network(self, request: pytest.FixtureRequest) -> QuantizedNetwork:
        """Return a trained network."""
        return _NETWORKS[request.param]

    @pytest.fixture(params=list(_TARGETS))
    def target(self, request: pytest.FixtureRequest) -> Target:
        """Return part, clock, rate and limits."""
        return _TARGETS[request.param]

    @pytest.fixture
    def found(
        self, make_estimator: MakeEstimator, network: QuantizedNetwork, target: Target
    ) -> tuple[MappedPoint, ...]:
        """Return the points of the network."""
        return make_estimator().points(network, target)

    def test_there_is_a_point(self, found: tuple[MappedPoint, ...]) -> None:
        assert isinstance(found, tuple)
        assert found

    def test_mappings_are_of_the_network(self, found: tuple[MappedPoint, ...], network: QuantizedNetwork) -> None:
        assert {len(point.mapping.reuse_factors) for point in found} == {len(network.layers)}
        assert len({point.mapping for point in found}) == len(found)

    def test_figures_are_finite_and_in_their_intervals(self, found: tuple[MappedPoint, ...]) -> None:
        for figure in (getattr(point.figures, name) for point in found for name in _FIGURES):
            assert isinstance(figure, Figure)
            assert 0 <= figure.low <= figure.value <= figure.high < math.inf
            assert figure.original is None or 0 <= figure.original[0] < math.inf

    def test_figures_are_of_the_stage_of_ranking(self, found: tuple[MappedPoint, ...], target: Target) -> None:
        compared = (*RESOURCES, "latency_cycles", "latency_ns", "ii_cycles")
        assert {getattr(point.figures, name).stage for point in found for name in compared} == {target.rank_stage}
        assert {point.figures.period_ns.stage for point in found if point.figures.period_ns} == {"place-and-route"}

    def test_copies_and_time_follow_from_cycles(self, found: tuple[MappedPoint, ...], target: Target) -> None:
        for figures in (point.figures for point in found):
            assert figures.ii_cycles.value >= 1
            assert figures.copies == target.copies(figures.ii_cycles.value)
            assert figures.latency_ns.value == pytest.approx(figures.latency_cycles.value * target.clock_ns)

    def test_a_period_that_is_sure_to_miss_the_clock_is_over_the_limit(
        self, found: tuple[MappedPoint, ...], target: Target
    ) -> None:
        for figures in (point.figures for point in found):
            period, latency = figures.period_ns, figures.achievable_latency_ns
            assert period is not None
            assert latency is not None
            assert period.low > 0
            assert latency.value == pytest.approx(figures.latency_cycles.value * period.value)
            assert latency.low <= latency.value <= latency.high
            missed = any(line.startswith("period ") for line in figures.violations(target))
            assert missed is (period.low > target.clock_ns)
            assert not missed or figures.constrained_share(target) > 1

    def test_no_point_beats_another(self, found: tuple[MappedPoint, ...]) -> None:
        for one, other in itertools.permutations(found, 2):
            ours, theirs = _compared(one), _compared(other)
            always = other.mapping.strategy == "distributed_arithmetic"
            assert always or ours == theirs or any(a > b for a, b in zip(ours, theirs, strict=True))

    def test_distributed_arithmetic_is_always_there(self, found: tuple[MappedPoint, ...]) -> None:
        assert sum(point.mapping.strategy == "distributed_arithmetic" for point in found) == 1

    def test_the_cheapest_share_comes_first(self, found: tuple[MappedPoint, ...], target: Target) -> None:
        shares = [point.figures.constrained_share(target) for point in found]
        assert shares == sorted(shares)

    def test_the_past_of_the_object_does_not_matter(
        self, make_estimator: MakeEstimator, found: tuple[MappedPoint, ...], network: QuantizedNetwork, target: Target
    ) -> None:
        used = make_estimator()
        for other in _NETWORKS.values():
            used.points(other, _TARGETS["slow"])
        assert used.points(network, target) == found
        assert used.points(network, target) == found

    def test_the_network_is_left_alone(
        self, make_estimator: MakeEstimator, network: QuantizedNetwork, target: Target
    ) -> None:
        before = [(layer.weights.copy(), layer.bias.copy()) for layer in network.layers]
        make_estimator().points(network, target)
        for (weights, bias), layer in zip(before, network.layers, strict=True):
            assert np.array_equal(layer.weights, weights)
            assert np.array_equal(layer.bias, bias)


def _compared(point: MappedPoint) -> tuple[float, ...]:
    """Return what points are compared in: resources of all copies, latency, initiation interval."""
    figures = point.figures
    return (*(figures.total(name) for name in RESOURCES), figures.latency_cycles.value, figures.ii_cycles.value)

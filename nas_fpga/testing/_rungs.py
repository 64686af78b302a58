"""What every rung of the ladder has to keep that costs a network layer by layer, ours or not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

from nas_fpga.hardware import AROUND, RESOURCES, DesignCost, Figure, HardwareFigures, Target, make_target
from nas_fpga.testing._estimators import build_network
from nas_fpga.training import QuantizedNetwork

CostOf = Callable[[QuantizedNetwork, Target], DesignCost]
"""The rung: what a network costs on a target."""

_NETWORKS = {
    "small": build_network((8,), 4, 4),
    "deep": build_network((6, 5, 4), 5, 6, n_outputs=2),
    "a single neuron": build_network((1,), 2, 2),
    "sparse": build_network((10, 6), 6, 8, n_outputs=3, density=0.2),
    "all weights zero": build_network((4,), 4, 4, density=0.0),
}
_TARGET = make_target()
_FIGURES = tuple(field.name for field in fields(HardwareFigures) if field.name != "copies")


class RungConformance:
    """Tests of what :func:`nas_fpga.hardware.cost_by_law`, `cost_by_adder_graph` and `cost_by_synthesis` return.

    A subclass gives the fixture ``cost_of``: a function of a network and a target, which is called once or twice in
    each test, so one that is dear should remember.
    """

    @pytest.fixture
    def cost_of(self) -> CostOf:
        """Return the rung under test."""
        raise NotImplementedError("give the fixture cost_of")

    @pytest.fixture(params=list(_NETWORKS))
    def network(self, request: pytest.FixtureRequest) -> QuantizedNetwork:
        """Return a trained network."""
        return _NETWORKS[request.param]

    def test_parts_are_the_layers_and_what_is_around_them(self, cost_of: CostOf, network: QuantizedNetwork) -> None:
        cost = cost_of(network, _TARGET)
        assert len(cost.mapping.reuse_factors) == len(network.layers)
        assert [layer.name for layer in cost.layers] == [
            *(f"dense {k + 1}" for k in range(len(network.layers))),
            AROUND,
        ]
        for part, layer in zip(cost.layers, network.layers, strict=False):
            assert (part.n_in, part.n_out) == layer.weights.shape
            assert part.nonzero <= np.count_nonzero(layer.weights)

    def test_parts_add_up_to_the_design(self, cost_of: CostOf, network: QuantizedNetwork) -> None:
        cost = cost_of(network, _TARGET)
        for name in RESOURCES:
            parts: list[Figure] = [getattr(layer, name) for layer in cost.layers]
            whole: Figure = getattr(cost.figures, name)
            assert sum(part.value for part in parts) == pytest.approx(whole.value)
            assert {(part.unit, part.stage) for part in parts} == {(whole.unit, whole.stage)}
            assert all(0 <= part.low <= part.value <= part.high < math.inf for part in parts)

    def test_figures_are_finite_and_in_their_intervals(self, cost_of: CostOf, network: QuantizedNetwork) -> None:
        figures = cost_of(network, _TARGET).figures
        for name in _FIGURES:
            figure: Figure = getattr(figures, name)
            assert 0 <= figure.low <= figure.value <= figure.high < math.inf
        assert figures.ii_cycles.value >= 1
        assert figures.latency_ns.value == pytest.approx(figures.latency_cycles.value * _TARGET.clock_ns)

    def test_sources_are_said_and_originals_are_of_another_stage(
        self, cost_of: CostOf, network: QuantizedNetwork
    ) -> None:
        figures = cost_of(network, _TARGET).figures
        assert len({getattr(figures, name).stage for name in RESOURCES}) == 1
        for figure in (getattr(figures, name) for name in _FIGURES):
            assert figure.source
            assert figure.original is None or (figure.original[0] >= 0 and figure.original[1] != figure.stage)

    def test_it_repeats_and_leaves_the_network_alone(self, cost_of: CostOf, network: QuantizedNetwork) -> None:
        before = [(layer.weights.copy(), layer.bias.copy()) for layer in network.layers]
        assert cost_of(network, _TARGET) == cost_of(network, _TARGET)
        for (weights, bias), layer in zip(before, network.layers, strict=True):
            assert np.array_equal(layer.weights, weights)
            assert np.array_equal(layer.bias, bias)

    def test_copies_follow_from_the_rate_and_change_nothing_else(self, cost_of: CostOf) -> None:
        network, fast = _NETWORKS["small"], make_target(rate_mhz=450.0)
        once, often = cost_of(network, _TARGET), cost_of(network, fast)
        for cost, target in ((once, _TARGET), (often, fast)):
            assert cost.figures.copies == target.copies(cost.figures.ii_cycles.value)
        assert replace(often.figures, copies=once.figures.copies) == once.figures
        assert often.layers == once.layers

    def test_more_weights_and_wider_features_cost_no_less(self, cost_of: CostOf) -> None:
        network = _NETWORKS["small"]
        first, *rest = network.layers
        half = replace(first, weights=first.weights * (np.arange(first.n_out) % 2))
        form = network.input_format
        narrow = replace(form, bits=form.bits - 4)
        lut = cost_of(network, _TARGET).figures.lut.value
        for smaller in (replace(network, layers=(half, *rest)), replace(network, input_format=narrow)):
            assert cost_of(smaller, _TARGET).figures.lut.value <= lut

"""The rung of logic synthesis: a design in one piece, and one whose layers are synthesised one by one."""

from __future__ import annotations

import math

import pytest
from hardware_cases import build_network

from nas_fpga.hardware import (
    DesignCost,
    adder_graph,
    build_netlist,
    cost_by_adder_graph,
    cost_by_synthesis,
    make_target,
)

TARGET = make_target()
NETWORK = build_network((4, 5), 6, 6, n_inputs=3, n_outputs=2, seed=1)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def synthesised(**options: float) -> DesignCost:
    return cost_by_synthesis(NETWORK, TARGET, message=lambda _: None, **options)


def test_it_has_a_figure_of_its_own():
    cost = synthesised()
    value, stage = cost.figures.lut.original
    assert stage == "logic-synthesis"
    assert 0.7 < value / adder_graph(NETWORK).luts < 1.4
    levels = build_netlist(adder_graph(NETWORK), TARGET.clock_ns).levels_per_cycle
    period = levels / 2 * (1.81 + 0.00471 * math.sqrt(cost.figures.lut.value))
    assert cost.figures.period_ns.value == pytest.approx(period)
    for name in ("lut", "ff"):
        parts = [getattr(layer, name).value for layer in cost.layers]
        assert sum(parts) == pytest.approx(getattr(cost.figures, name).value)


def test_a_large_design_is_synthesised_layer_by_layer_and_less_sure():
    whole, apart = synthesised().figures, synthesised(most_luts=100)
    assert apart.figures.lut.source.startswith("Yosys, layer by layer; logic-synthesis carried")
    assert [layer.lut.original[1] for layer in apart.layers] == ["logic-synthesis"] * 4
    assert apart.figures.lut.original[0] == sum(layer.lut.original[0] for layer in apart.layers)
    assert apart.figures.lut.original[0] == pytest.approx(whole.lut.original[0], rel=0.1)
    for name in ("lut", "ff"):
        one, other = getattr(whole, name), getattr(apart.figures, name)
        assert other.value == pytest.approx(sum(getattr(layer, name).value for layer in apart.layers))
        assert math.log(other.high / other.low) > math.log(one.high / one.low)
    assert apart.figures.latency_cycles == whole.latency_cycles


def test_what_has_no_adder_graph_in_time_is_not_synthesised():
    cost = synthesised(most_graph_s=0)
    by_graph = cost_by_adder_graph(NETWORK, TARGET, most_graph_s=0)
    assert [layer.lut for layer in cost.layers[:-1]] == [layer.lut for layer in by_graph.layers[:-1]]
    assert cost.layers[-1].lut.original[1] == "logic-synthesis"
    assert "layer by layer, law for dense 1, dense 2, dense 3;" in cost.figures.lut.source

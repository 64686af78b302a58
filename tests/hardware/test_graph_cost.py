"""The rung of adder graphs: its figures, and what it leaves to the law where da4ml takes too long."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hardware_cases import build_network

from nas_fpga.hardware import (
    AROUND,
    DesignCost,
    Figure,
    LayerTraits,
    Mapping,
    adder_graph,
    build_netlist,
    cost_by_adder_graph,
    cost_by_law,
    layer_graph_s,
    make_target,
    measured_traits,
    slow_layers,
)

TARGET = make_target()
NETWORK = build_network((12, 6), 6, 6, n_outputs=2)
DEEP = build_network((24, 40, 16), 6, 6, n_outputs=3)
LAYERS = Path(__file__).parents[2] / "benchmarks" / "hardware" / "graph_seconds.csv"


def parts_of(cost: DesignCost, name: str) -> list[float]:
    return [getattr(layer, name).value for layer in cost.layers]


def width(figure: Figure) -> float:
    return math.log(figure.high / figure.low)


def seconds_without_the_slowest(network) -> float:
    """A time in which all graphs but the slowest are expected to be done."""
    seconds = layer_graph_s(measured_traits(network))
    return float(seconds.sum() - seconds.max() / 2)


def test_it_is_carried_and_its_original_kept():
    graph = adder_graph(NETWORK)
    netlist = build_netlist(graph, TARGET.clock_ns)
    figures = cost_by_adder_graph(NETWORK, TARGET).figures
    assert figures.lut.original == (graph.luts, "adder-graph")
    assert figures.lut.value == pytest.approx(1.05 * graph.luts)
    assert figures.lut.stage == "place-and-route"
    assert figures.ff.original == (netlist.flip_flops, "adder-graph")
    assert figures.latency_cycles.value == figures.latency_cycles.high == netlist.latency_cycles
    assert figures.latency_ns.value == 5 * netlist.latency_cycles
    levels, period = netlist.levels_per_cycle, figures.period_ns
    assert period.value == pytest.approx(levels / 2 * (1.81 + 0.00471 * math.sqrt(1.05 * graph.luts)))
    assert "netlist" in period.source
    by_law = cost_by_law(NETWORK, Mapping("distributed_arithmetic", (1, 1, 1)), TARGET).figures
    assert width(figures.lut) < width(by_law.lut)


def test_a_shallow_netlist_has_no_more_levels_between_registers_than_it_has():
    netlist = build_netlist(adder_graph(NETWORK), 100.0)
    assert netlist.levels < netlist.levels_per_cycle
    figures = cost_by_adder_graph(NETWORK, make_target(clock_ns=100)).figures
    period = netlist.levels / 2 * (1.81 + 0.00471 * math.sqrt(figures.lut.value))
    assert figures.period_ns.value == pytest.approx(period)


def test_its_parts_are_its_own():
    graph, cost = adder_graph(NETWORK), cost_by_adder_graph(NETWORK, TARGET)
    of_graph = np.array([*graph.parts[1:], graph.parts[0]])
    assert parts_of(cost, "lut") == pytest.approx(1.05 * of_graph)
    assert sum(parts_of(cost, "ff")) == pytest.approx(cost.figures.ff.value)


def test_expected_seconds_are_those_that_were_measured():
    with LAYERS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if float(row["cpu_s"]) >= 0.3]
    columns = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    columns |= {"busy_inputs": columns["n_in"], "busy_outputs": columns["n_out"]}
    blank = dict.fromkeys(LayerTraits.__dataclass_fields__, np.zeros(len(rows)))
    traits = LayerTraits(**blank | {name: columns[name] for name in columns if name in blank})
    ratios = columns["cpu_s"] / layer_graph_s(traits)
    assert 0.9 < np.median(ratios) < 1.25
    assert np.quantile(ratios, 0.05) > 0.7
    assert np.quantile(ratios, 0.95) < 1.6


def test_the_slowest_layers_are_left_to_the_law():
    assert slow_layers(DEEP, math.inf) == ()
    assert slow_layers(DEEP, seconds_without_the_slowest(DEEP)) == (2,)  # 24 x 40 weights
    assert slow_layers(DEEP, 0) == (1, 2, 3, 4)


def test_a_layer_that_is_left_to_the_law_has_its_figures_and_interval():
    whole = cost_by_adder_graph(DEEP, TARGET)
    mixed = cost_by_adder_graph(DEEP, TARGET, most_graph_s=seconds_without_the_slowest(DEEP))
    law = cost_by_law(DEEP, mixed.mapping, TARGET)
    assert [layer.name for layer in mixed.layers] == ["dense 1", "dense 2", "dense 3", "dense 4", AROUND]
    assert mixed.layers[1].lut.value == law.layers[1].lut.value
    assert width(mixed.layers[1].lut) == pytest.approx(width(law.layers[1].lut))
    assert "law for dense 2;" in mixed.figures.lut.source
    assert mixed.figures.lut.original[1] == "adder-graph"
    for name in ("lut", "ff"):
        total = getattr(mixed.figures, name)
        assert total.value == pytest.approx(sum(parts_of(mixed, name)))
        assert width(getattr(whole.figures, name)) < width(total) < width(getattr(law.figures, name))
        assert total.low < getattr(whole.figures, name).value < total.high
    for place in (0, 2, 3, 4):  # with fresh words they cost about what they did
        assert mixed.layers[place].lut.value == pytest.approx(whole.layers[place].lut.value, rel=0.12)
    assert mixed.figures.period_ns.value == pytest.approx(whole.figures.period_ns.value, rel=0.03)
    cycles = mixed.figures.latency_cycles
    assert cycles.low < whole.figures.latency_cycles.value <= cycles.high
    assert mixed.figures.latency_ns.high == cycles.high * TARGET.clock_ns


def test_with_no_time_at_all_the_input_format_alone_has_a_graph():
    mixed = cost_by_adder_graph(DEEP, TARGET, most_graph_s=0)
    law = cost_by_law(DEEP, mixed.mapping, TARGET)
    assert parts_of(mixed, "lut")[:-1] == pytest.approx(parts_of(law, "lut")[:-1])
    assert mixed.layers[-1].lut.original == (adder_graph(DEEP).parts[0], "adder-graph")

"""A design divides over its layers, and every rung says what it is."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from hardware_cases import build_network
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_fpga.hardware import (
    AROUND,
    RESOURCES,
    DesignCost,
    Mapping,
    adder_graph,
    carried_from_synthesis,
    cost_by_adder_graph,
    cost_by_law,
    cost_of_topology,
    enumerate_mappings,
    estimate,
    make_target,
    no_fewer_than_adders,
    preflight,
    reuse_options,
    rung_of,
    topology_traits,
)
from nas_fpga.hardware._hls_laws import least_latency_luts
from nas_fpga.space import BitWidths

TARGET = make_target()
NETWORK = build_network((12, 6), 6, 6, n_outputs=2)
ADDERS = Mapping("distributed_arithmetic", (1, 1, 1))
SHAPES = [(layer.n_in, layer.n_out) for layer in NETWORK.layers]


def parts_of(cost: DesignCost, name: str) -> list[float]:
    return [getattr(layer, name).value for layer in cost.layers]


@pytest.mark.parametrize("mapping", enumerate_mappings(SHAPES, TARGET), ids=str)
def test_parts_add_up_to_the_design_that_the_search_knows(mapping):
    cost = cost_by_law(NETWORK, mapping, TARGET)
    assert cost.figures == estimate(NETWORK, mapping, TARGET)
    for name in RESOURCES:
        assert sum(parts_of(cost, name)) == pytest.approx(getattr(cost.figures, name).value)
        assert min(parts_of(cost, name)) >= 0
    assert [layer.name for layer in cost.layers] == ["dense 1", "dense 2", "dense 3", AROUND]
    assert [(layer.n_in, layer.n_out) for layer in cost.layers[:-1]] == SHAPES
    assert [layer.weight_bits for layer in cost.layers[:-1]] == [5, 6, 6]  # the first has small ones
    assert [layer.input_bits for layer in cost.layers[:-1]] == [10, 6, 6]
    assert cost.layers[0].nonzero == np.count_nonzero(NETWORK.layers[0].weights)
    assert parts_of(cost, "lut")[0] > parts_of(cost, "lut")[2]  # 13 x 12 weights against 6 x 2


def test_a_layer_that_is_left_folded_alone_has_what_the_law_gives_it():
    folded = cost_by_law(NETWORK, Mapping("resource", (13, 12, 6)), TARGET)
    unrolled = cost_by_law(NETWORK, Mapping("resource", (13, 12, 1)), TARGET)
    assert parts_of(folded, "bram18")[2] > 0
    assert parts_of(unrolled, "bram18")[2] == 0
    assert parts_of(folded, "bram18")[:2] == pytest.approx(parts_of(unrolled, "bram18")[:2])


def test_every_rung_says_what_it_is():
    by_graph, by_law = (
        cost.figures.lut for cost in (cost_by_adder_graph(NETWORK, TARGET), cost_by_law(NETWORK, ADDERS, TARGET))
    )
    assert (rung_of(by_law), rung_of(by_graph)) == ("estimate", "adder-graph")
    assert rung_of(carried_from_synthesis(300, by_law, TARGET)) == "logic-synthesis"


@pytest.mark.parametrize("mapping", enumerate_mappings(SHAPES, TARGET), ids=str)
def test_at_best_every_figure_is_the_lower_end_of_its_interval(mapping):
    figures = estimate(NETWORK, mapping, TARGET)
    best = figures.at_best()
    names = (*RESOURCES, "latency_cycles", "latency_ns", "ii_cycles", "ebops")
    assert [getattr(best, name).value for name in names] == [getattr(figures, name).low for name in names]
    assert [getattr(best, name).high for name in names] == [getattr(figures, name).high for name in names]
    assert best.copies == figures.copies


@pytest.mark.parametrize("stage", ["place-and-route", "csynth", "adder-graph"])
def test_latency_is_bound_to_the_adder_graph_at_every_stage_of_ranking(stage):
    target = make_target(rank_stage=stage)
    latency = estimate(NETWORK, Mapping("latency", (1, 1, 1)), target)
    by_graph = cost_by_adder_graph(NETWORK, target).figures
    assert no_fewer_than_adders(latency, by_graph, target) == latency
    half = replace(latency, lut=replace(latency.lut, value=1.0, low=1.0, high=1.0))
    bound = no_fewer_than_adders(half, by_graph, target)
    placed = 1.05 * adder_graph(NETWORK).luts - 55 * round(latency.dsp.value)
    assert bound.lut.value == pytest.approx(
        {"place-and-route": 1.0, "csynth": 1.76, "adder-graph": 1 / 1.05}[stage] * placed
    )
    assert (bound.lut.low, bound.lut.high) == (1.0, bound.lut.value)
    assert replace(bound, lut=half.lut) == half


def test_latency_saves_luts_by_whole_dsps_only():
    assert [least_latency_luts(200.0, dsps) for dsps in (0.0, 0.4, 1.2, 5.0)] == [200.0, 200.0, 145.0, 0.0]


def test_what_is_not_trained_has_wider_intervals_than_what_is():
    mapping = Mapping("distributed_arithmetic", (1, 1, 1))
    expected = cost_of_topology((13, 12, 6, 2), BitWidths(6, 6), 10, mapping, TARGET).figures
    trained = cost_by_law(NETWORK, mapping, TARGET).figures
    assert expected.lut.low < trained.lut.value < expected.lut.high
    assert expected.lut.high / expected.lut.low > 2 * trained.lut.high / trained.lut.low
    assert expected.period_ns.low < trained.period_ns.low < trained.period_ns.high < expected.period_ns.high


@given(st.lists(st.integers(1, 40), min_size=3, max_size=6), st.integers(2, 10), st.integers(2, 10), st.integers(4, 12))
@settings(max_examples=40, deadline=None)
def test_parts_add_up_for_every_topology_and_mapping(widths, weights, activations, input_bits):
    shapes = list(itertools.pairwise(widths))
    for mapping in enumerate_mappings(shapes, TARGET):
        cost = cost_of_topology(tuple(widths), BitWidths(weights, activations), input_bits, mapping, TARGET)
        for name in RESOURCES:
            assert sum(parts_of(cost, name)) == pytest.approx(getattr(cost.figures, name).value)


def test_reuse_options_are_those_of_hls4ml_with_their_interval():
    first, second = reuse_options(topology_traits((4, 6, 2), BitWidths(6, 6), 10), TARGET)
    assert [option.reuse_factor for option in first] == [1, 2, 4, 8, 12, 24]
    assert [option.reuse_factor for option in second] == [1, 2, 3, 6, 12]
    assert [option.ii_cycles.value for option in first] == [2, 2, 4, 8, 12, 24]  # unrolled, a call and its end
    dsps = [option.dsp.value for option in first[1:]]
    assert dsps == sorted(dsps, reverse=True)


def test_what_cannot_be_unrolled_has_no_reuse_factor_of_one():
    (wide, _) = reuse_options(topology_traits((64, 64, 1), BitWidths(6, 6), 10), TARGET)
    assert wide[0].reuse_factor == 2


@pytest.mark.parametrize(
    ("shapes", "mapping", "said"),
    [
        ([(64, 64)], Mapping("latency", (1,)), "4,096 products are not unrolled.*reuse factor of 2 or more"),
        ([(64, 64)], Mapping("resource", (1,)), "4,096 products are not unrolled"),
        ([(16, 8)], Mapping("resource", (5,)), "reuse factor 5 is moved to 4"),
        ([(5000, 2)], Mapping("resource", (5000,)), "array of 5,000 .*make the layer narrower"),
        ([(16, 8)], Mapping("latency", (2,)), "latency has no reuse factor 2"),
    ],
)
def test_preflight_names_the_layer_and_the_cure(shapes, mapping, said):
    (line,) = preflight([(3, 3), *shapes], Mapping(mapping.strategy, (1, *mapping.reuse_factors)))
    assert line.startswith(f"dense 2 ({shapes[0][0]} x {shapes[0][1]}): ")
    assert re.search(said, line)


def test_preflight_is_silent_about_what_builds():
    for mapping in enumerate_mappings(SHAPES, TARGET):
        assert preflight(SHAPES, mapping) == ()
    assert preflight([(64, 64)], Mapping("distributed_arithmetic", (1,))) == ()

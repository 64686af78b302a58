"""Figures are carried to the stage of ranking, by what is shipped or by what a calibration knows."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hardware_cases import build_network
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_fpga.errors import InputError
from nas_fpga.hardware import (
    RANK_STAGES,
    RESOURCES,
    STAGES,
    STRATEGIES,
    Calibration,
    Mapping,
    PreTrainingCost,
    StageRatio,
    adder_graph,
    build_netlist,
    cost_by_adder_graph,
    cost_by_law,
    enumerate_mappings,
    estimate,
    make_target,
    reuse_options,
    shipped_ratio,
)
from nas_fpga.hardware import _adder_law as adder_law
from nas_fpga.hardware import _hls_laws as hls_laws
from nas_fpga.hardware._cost_array import HIGH, ORIGINAL, QUANTITIES, VALUE
from nas_fpga.hardware._rank_stage import at_rank_stage, carried_count
from nas_fpga.hardware._synthesis_cost import carried_from_synthesis
from nas_fpga.hardware._traits import measured_traits

DA = "distributed_arithmetic"
NETWORK = build_network((12, 6), 6, 6, n_outputs=2)
SHIPPED = Calibration(
    tuple(
        dataclasses.replace(
            shipped_ratio(stage, strategy, resource), strategy=strategy, sizes=(1e-9, 1e12), n_designs=9
        )
        for stage in STAGES[:-1]
        for strategy in STRATEGIES
        for resource in RESOURCES
    )
)


OF_STAGES = Calibration(tuple(ratio for ratio in SHIPPED.ratios if ratio.stage != "estimate"))


def learned(stage, strategy, resource, ratio, spread, sizes=(1.0, 1e9)):
    return StageRatio(stage, strategy, resource, ratio, spread, 7, sizes)


def half_widths(figure):
    return math.log(figure.value / figure.low), math.log(figure.high / figure.value)


def row_of(value, low, high, original=np.nan, quantity="lut"):
    """A cost array with one resource of one design."""
    costs = np.ones((len(QUANTITIES), 4))
    costs[:, ORIGINAL] = np.nan
    costs[QUANTITIES.index(quantity)] = value, low, high, original
    return costs


def lut_of(costs, strategy, target):
    return at_rank_stage(costs, strategy, target)[QUANTITIES.index("lut")]


class TestCalibration:
    @settings(max_examples=40, deadline=None)
    @given(
        topology=st.lists(st.integers(1, 60), min_size=1, max_size=4),
        bits=st.tuples(st.integers(2, 8), st.sampled_from([3, 6, 16])),
        stage=st.sampled_from(RANK_STAGES),
        seed=st.integers(0, 9),
    )
    def test_one_equal_to_what_is_shipped_changes_nothing(self, topology, bits, stage, seed):
        network = build_network(topology, *bits, seed=seed)
        plain = make_target(max_latency_ns=1e5, rank_stage=stage)
        # that of the laws stands in for that of their stage, so that at this stage they would be carried and back
        calibration = SHIPPED if stage == "place-and-route" else OF_STAGES
        same = dataclasses.replace(plain, calibration=calibration)
        for mapping in enumerate_mappings([(layer.n_in, layer.n_out) for layer in network.layers], plain):
            before, after = estimate(network, mapping, plain), estimate(network, mapping, same)
            for name in (field.name for field in dataclasses.fields(before) if field.name != "copies"):
                one, other = getattr(before, name), getattr(after, name)
                assert (other.value, other.low, other.high, other.stage) == (
                    pytest.approx(one.value, rel=1e-9),
                    pytest.approx(one.low, rel=1e-9),
                    pytest.approx(one.high, rel=1e-9),
                    one.stage,
                )

    def test_counts_are_unchanged_by_what_is_shipped(self):
        for stage in RANK_STAGES:
            plain = make_target(rank_stage=stage)
            same = dataclasses.replace(plain, calibration=SHIPPED)
            for name in ("lut", "ff"):
                one, other = (getattr(cost_by_adder_graph(NETWORK, target).figures, name) for target in (plain, same))
                assert (other.value, other.low, other.high) == pytest.approx((one.value, one.low, one.high))

    def test_its_ratio_and_spread_take_the_place_of_the_shipped_ones(self):
        shipped = shipped_ratio("csynth", "resource", "lut")
        law = 0.3
        width = math.hypot(law, shipped.spread)
        costs = row_of(1000.0, 1000 * math.exp(-width), 1000 * math.exp(width), 1000 / shipped.ratio)
        target = make_target(calibration=Calibration((learned("csynth", "resource", "lut", 0.8, 0.1),)))
        value, low, high, original = lut_of(costs, "resource", target)
        assert value == pytest.approx(0.8 * 1000 / shipped.ratio)
        assert (math.log(value / low), math.log(high / value)) == pytest.approx([math.hypot(law, 0.1)] * 2)
        assert original == 1000 / shipped.ratio
        assert lut_of(costs, "latency", target).tolist() == costs[0].tolist()  # of another strategy

    def test_what_has_no_stage_of_its_own_is_left_alone_unless_the_law_was_judged(self):
        costs = row_of(1000.0, 700.0, 1500.0)
        ratios = (learned("csynth", "latency", "lut", 0.8, 0.1),)
        assert lut_of(costs, "latency", make_target(calibration=Calibration(ratios)))[VALUE] == 1000
        ratios += (learned("estimate", "latency", "lut", 1.5, 0.2),)
        assert lut_of(costs, "latency", make_target(calibration=Calibration(ratios)))[VALUE] == 1500

    def test_of_the_law_itself_goes_before_that_of_its_stage(self):
        ratios = learned("csynth", "resource", "lut", 0.8, 0.1), learned("estimate", "resource", "lut", 1.5, 0.2)
        target = make_target(calibration=Calibration(ratios))
        assert lut_of(row_of(1000.0, 400.0, 2500.0, 1760.0), "resource", target)[VALUE] == 1500

    def test_designs_outside_the_sizes_seen_have_the_shipped_spread_on_top_and_say_so(self):
        graph = adder_graph(NETWORK).luts
        shipped = shipped_ratio("adder-graph", DA, "lut").spread
        widths = {}
        for name, size in (("inside", graph / 3.9), ("larger", graph / 4.1), ("smaller", graph * 4.1)):
            ratio = learned("adder-graph", DA, "lut", 1.2, 0.05, (size, size))
            target = make_target(calibration=Calibration((ratio,)))
            figure = cost_by_adder_graph(NETWORK, target).figures.lut
            assert figure.value == pytest.approx(1.2 * graph)
            widths[name] = half_widths(figure)[1]
        wide = pytest.approx(math.hypot(0.05, shipped))
        assert widths == {"inside": pytest.approx(0.05), "larger": wide, "smaller": wide}

        mapping = Mapping(DA, (1, 1, 1))
        by_law = estimate(NETWORK, mapping, make_target()).lut.original[0]
        for size, said in ((by_law, False), (by_law / 5, True), (by_law * 5, True)):
            ratio = learned("adder-graph", DA, "lut", 1.2, 0.05, (size, size))
            source = estimate(NETWORK, mapping, make_target(calibration=Calibration((ratio,)))).lut.source
            assert "calibrated by 7 designs (x 1.20 of adder-graph" in source
            assert ("beyond their sizes" in source) == said

    def test_an_interval_without_the_ratio_in_it_is_not_made_narrower_than_it_was(self):
        """The DSPs of laws: 10, of which at most 10 and at least 9.5, without the spread from csynth."""
        costs = row_of(10.0, 9.5, 10.0, 10.2, "dsp")
        target = make_target(calibration=Calibration((learned("csynth", "resource", "dsp", 1 / 1.02, 0.02),)))
        value, low, high, _ = at_rank_stage(costs, "resource", target)[QUANTITIES.index("dsp")]
        assert value == pytest.approx(10)
        assert math.log(value / low) == pytest.approx(0.02)
        assert high == value

    def test_ends_that_no_factor_reaches_stay(self):
        target = make_target(calibration=Calibration((learned("estimate", "resource", "dsp", 2.0, 0.3),)))
        none = at_rank_stage(row_of(0.0, 0.0, 8.0, quantity="dsp"), "resource", target)[QUANTITIES.index("dsp")]
        assert none[:ORIGINAL].tolist() == [0, 0, 16]
        some = at_rank_stage(row_of(8.0, 0.0, 8.0, quantity="dsp"), "resource", target)[QUANTITIES.index("dsp")]
        assert some[:HIGH].tolist() == [16, 0]

    def test_shipped_spreads_of_the_laws_are_those_of_the_laws(self):
        graph, csynth_lut, csynth_ff = (shipped_ratio(*of).spread for of in (
            ("adder-graph", DA, "lut"), ("csynth", None, "lut"), ("csynth", None, "ff"),
        ))  # fmt: skip
        expected = {
            (DA, "lut"): math.hypot(adder_law.GRAPH_SPREAD, graph),
            (DA, "ff"): math.hypot(adder_law.GRAPH_SPREAD, graph, adder_law._FF_SPREAD),
            ("latency", "lut"): hls_laws._EBOPS_SPREAD,
            ("latency", "ff"): math.hypot(hls_laws._UNROLLED_FF_SPREAD, csynth_ff),
            ("resource", "lut"): math.hypot(hls_laws._RESOURCE_SPREAD, csynth_lut),
            ("resource", "ff"): math.hypot(hls_laws._RESOURCE_FF_SPREAD, csynth_ff),
        }
        for (strategy, resource), spread in expected.items():
            assert shipped_ratio("estimate", strategy, resource).spread == pytest.approx(spread)


class TestRankStage:
    def test_a_law_of_that_stage_keeps_its_own_interval(self):
        network = build_network((32,), 8, 16, n_inputs=32, n_outputs=32)
        network = dataclasses.replace(
            network, input_format=dataclasses.replace(network.input_format, bits=np.full(32, 16))
        )
        mapping = Mapping("resource", (64, 1024))  # inside the reports of the law
        placed, csynth = (estimate(network, mapping, make_target(rank_stage=s)) for s in ("place-and-route", "csynth"))
        ratio = shipped_ratio("csynth", None, "lut")
        assert csynth.lut.value == pytest.approx(placed.lut.value / ratio.ratio)
        assert half_widths(placed.lut)[0] == pytest.approx(math.hypot(hls_laws._RESOURCE_SPREAD, ratio.spread))
        assert half_widths(csynth.lut)[0] == pytest.approx(hls_laws._RESOURCE_SPREAD)
        assert csynth.lut.original == placed.lut.original
        assert csynth.lut.stage == csynth.latency_ns.stage == "csynth"
        assert csynth.latency_cycles.value == placed.latency_cycles.value

    @pytest.mark.parametrize("stage", [stage for stage in RANK_STAGES if stage != "place-and-route"])
    def test_others_are_carried_there_with_its_spread_and_keep_what_they_were(self, stage):
        mapping = Mapping("latency", (1, 1, 1))  # 6-bit data: the law is of place and route
        placed, ranked = (estimate(NETWORK, mapping, make_target(rank_stage=s)).lut for s in ("place-and-route", stage))
        ratio = shipped_ratio(stage, "latency", "lut")
        assert ranked.value == pytest.approx(placed.value / ratio.ratio)
        assert half_widths(ranked)[0] == pytest.approx(math.hypot(half_widths(placed)[0], ratio.spread))
        expected = None if ratio.ratio == 1 else (placed.value, "place-and-route")
        assert ranked.original == expected
        assert ranked.source.endswith(f"; ranked at {stage}")

    def test_a_count_of_that_stage_is_what_was_counted(self):
        target = make_target(rank_stage="adder-graph")
        graph = adder_graph(NETWORK)
        figures = cost_by_adder_graph(NETWORK, target).figures
        assert (figures.lut.value, figures.lut.low, figures.lut.high) == (graph.luts,) * 3
        assert figures.lut.original is None
        assert figures.ff.value == build_netlist(graph, target.clock_ns).flip_flops
        at_csynth = cost_by_adder_graph(NETWORK, make_target(rank_stage="csynth")).figures.lut
        there, back = shipped_ratio("adder-graph", DA, "lut"), shipped_ratio("csynth", DA, "lut")
        assert at_csynth.value == pytest.approx(graph.luts * there.ratio / back.ratio)
        assert half_widths(at_csynth)[0] == pytest.approx(math.hypot(there.spread, back.spread))
        assert at_csynth.original == (graph.luts, "adder-graph")

    def test_synthesis_is_carried_by_its_own_ratio(self):
        was = estimate(NETWORK, Mapping(DA, (1, 1, 1)), make_target()).lut
        ratio = shipped_ratio("logic-synthesis", DA, "lut")
        placed = carried_from_synthesis(500, was, make_target())
        assert (placed.value, placed.original) == (pytest.approx(500 * ratio.ratio), (500, "logic-synthesis"))
        own = carried_from_synthesis(500, was, make_target(rank_stage="logic-synthesis"))
        assert (own.value, own.low, own.high, own.stage) == (500, 500, 500, was.stage)

    def test_a_learned_ratio_of_it_carries_there(self):
        target = make_target(rank_stage="csynth", calibration=Calibration((learned("csynth", DA, "lut", 0.25, 0.1),)))
        value, low, high = carried_count(1000.0, "place-and-route", DA, "lut", target)
        assert (value, low, high) == pytest.approx((4000, 4000 * math.exp(-0.1), 4000 * math.exp(0.1)))

    @pytest.mark.parametrize("stage", RANK_STAGES)
    def test_parts_add_up_at_every_stage(self, stage):
        target = make_target(rank_stage=stage, calibration=SHIPPED)
        for mapping in enumerate_mappings([(layer.n_in, layer.n_out) for layer in NETWORK.layers], target):
            cost = cost_by_law(NETWORK, mapping, target)
            for name in RESOURCES:
                parts = [getattr(layer, name).value for layer in cost.layers]
                assert sum(parts) == pytest.approx(getattr(cost.figures, name).value)

    @pytest.mark.parametrize("max_luts", [None, 50])  # all networks refused: then all reuse factors are looked at
    def test_all_that_is_known_before_training_is_ranked_there_too(self, max_luts):
        rows = np.array([[30, 20, 6, 6], [8, 0, 3, 3]])
        ratio = shipped_ratio("csynth", None, "lut").ratio
        limits = {"objective": "lut", "rate_mhz": 0.001, "max_luts": max_luts}
        placed, csynth = (
            PreTrainingCost(13, 1, 10, make_target(rank_stage=stage, **limits))
            for stage in ("place-and-route", "csynth")
        )
        assert csynth(rows)[1].tolist() == [max_luts is not None] * 2
        assert csynth(rows)[0] == pytest.approx(placed(rows)[0] - math.log10(ratio))
        some = Calibration(tuple(learned("estimate", s, "lut", 3.0, 0.1) for s in STRATEGIES))
        tripled = dataclasses.replace(placed, target=dataclasses.replace(placed.target, calibration=some))
        assert tripled(rows)[0] == pytest.approx(placed(rows)[0] + math.log10(3))

    def test_reuse_factors_are_ranked_there_too(self):
        traits = measured_traits(NETWORK)
        (one, *_), *_ = reuse_options(traits, make_target())
        (other, *_), *_ = reuse_options(traits, make_target(rank_stage="csynth"))
        assert other.lut.value == pytest.approx(one.lut.value / shipped_ratio("csynth", None, "lut").ratio)
        assert other.lut.stage == other.ii_cycles.stage == "csynth"
        assert other.lut.source == f"{one.lut.source}; ranked at csynth"
        some = Calibration((learned("estimate", "resource", "lut", 3.0, 0.1),))
        (tripled, *_), *_ = reuse_options(traits, make_target(calibration=some))
        assert tripled.lut.source.startswith(f"{one.lut.source}; calibrated by ")
        assert tripled.dsp == one.dsp

    @pytest.mark.parametrize("stage", ["estimate", "cosim", ""])
    def test_what_counts_nothing_is_no_stage_of_ranking(self, stage):
        with pytest.raises(InputError, match=f"--rank-stage {stage} is none of adder-graph, logic-synthesis, csynth"):
            make_target(rank_stage=stage)

    def test_nothing_is_copied_where_nothing_is_carried(self):
        costs = row_of(1.0, 1.0, 1.0)
        assert at_rank_stage(costs, DA, make_target()) is costs
        at_rank_stage(costs, DA, make_target(rank_stage="csynth"))
        assert costs[0, :ORIGINAL].tolist() == [1, 1, 1]

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from hardware_cases import build_network, read_table
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_fpga.hardware import RESOURCES, Mapping, StaticEstimator, enumerate_mappings, estimate, make_target
from nas_fpga.hardware._adder_law import GRAPH_SPREAD, adder_graph_cost, adder_graph_depth, input_format_luts
from nas_fpga.hardware._graph_operations import operation_bits
from nas_fpga.hardware._stages import ADDER_GRAPH_LUT_RATIO, CSYNTH_DSP_RATIO, CSYNTH_FF_RATIO, CSYNTH_LUT_RATIO
from nas_fpga.hardware._traits import live_weights, measured_traits
from nas_fpga.space import BitWidths, parse_candidate
from nas_fpga.training import QuantizedNetwork

points = StaticEstimator().points
DA = "distributed_arithmetic"
FRONT = Path(__file__).parents[2] / "benchmarks" / "estimators" / "networks" / "front"


def with_weights(network, *matrices):
    layers = [
        dataclasses.replace(layer, weights=np.array(weights, np.int32))
        for layer, weights in zip(network.layers, matrices, strict=True)
    ]
    return dataclasses.replace(network, layers=tuple(layers))


def with_input_bits(network, bits):
    of_features = np.full(network.layers[0].n_in, bits)
    return dataclasses.replace(network, input_format=dataclasses.replace(network.input_format, bits=of_features))


def with_activations(network, bits, fraction_bits):
    """The same network with these formats of the first hidden layer's outputs."""
    first, *others = network.layers
    first = dataclasses.replace(first, activation_bits=np.array(bits), activation_fraction_bits=np.array(fraction_bits))
    return dataclasses.replace(network, layers=(first, *others))


class TestEstimate:
    def test_figures_say_what_they_are(self, make_network):
        target = make_target()
        found = estimate(make_network((64, 32, 32), 6, 6), Mapping(DA, (1, 1, 1, 1)), target)
        assert found.lut.unit == "LUT"
        assert found.bram18.unit == "BRAM18"
        assert {f.stage for f in (found.lut, found.ff, found.dsp, found.latency_ns)} == {"place-and-route"}
        assert "adder-graph" in found.lut.source
        assert found.latency_ns.value == 5 * found.latency_cycles.value
        assert (found.dsp.high, found.bram18.high, found.ii_cycles.value, found.copies) == (0, 0, 1, 1)

    def test_what_the_laws_said_before_they_were_carried(self, make_network):
        network = make_network((64, 32), 8, 16)
        graph, unrolled, folded = (
            estimate(network, mapping, make_target())
            for mapping in (Mapping(DA, (1, 1, 1)), Mapping("latency", (1, 1, 1)), Mapping("resource", (13, 32, 32)))
        )
        assert graph.lut.original == (pytest.approx(graph.lut.value / ADDER_GRAPH_LUT_RATIO), "adder-graph")
        input_format = float(input_format_luts(measured_traits(network), 13))
        assert folded.lut.original == (
            pytest.approx((folded.lut.value - input_format) * CSYNTH_LUT_RATIO),
            "csynth",
        )
        for figures in (unrolled, folded):
            assert figures.ff.original == (pytest.approx(figures.ff.value * CSYNTH_FF_RATIO), "csynth")
            assert figures.dsp.original == (pytest.approx(figures.dsp.value * CSYNTH_DSP_RATIO), "csynth")
        # the first layer has 10-bit data, which no report is of
        value, stage = unrolled.lut.original
        assert 0 < value < (unrolled.lut.value - input_format) * CSYNTH_LUT_RATIO
        assert stage == "csynth"
        narrow = estimate(make_network((64, 32), 6, 6), Mapping("latency", (1, 1, 1)), make_target())
        for never in (narrow.lut, graph.ff, graph.dsp, unrolled.bram18, unrolled.latency_ns, unrolled.ebops):
            assert never.original is None

    def test_source_says_where_reports_end(self, make_network):
        network = make_network((32,), 8, 16, n_inputs=32, n_outputs=32)
        network = dataclasses.replace(
            network, input_format=dataclasses.replace(network.input_format, bits=np.full(32, 16))
        )
        narrower = make_network((32,), 8, 8, n_inputs=32, n_outputs=32)
        target, beyond = make_target(), "beyond the reports"
        for mapping in (Mapping("latency", (1, 1)), Mapping("resource", (64, 1024)), Mapping("resource", (1, 64))):
            assert beyond not in estimate(network, mapping, target).lut.source
            assert beyond in estimate(network, mapping, make_target(clock_ns=4)).lut.source
            assert beyond in estimate(narrower, mapping, target).lut.source
        assert beyond in estimate(network, Mapping("resource", (64, 32)), target).lut.source
        assert beyond not in estimate(narrower, Mapping(DA, (1, 1)), target).lut.source

    def test_all_copies_count(self, make_network):
        network = make_network((32, 32), 8, 10)
        mapping = Mapping("resource", (13, 16, 16))
        one = estimate(network, mapping, make_target(rate_mhz=1))
        four = estimate(network, mapping, make_target(rate_mhz=40))  # 16 cycles of 5 ns at 40 MHz: 3.2 copies
        assert (one.copies, four.copies) == (1, 4)
        assert four.lut == one.lut
        assert four.total("lut") == 4 * one.lut.value
        assert four.shares(make_target())["lut"] == pytest.approx(4 * one.lut.value / 432_000)

    def test_share_follows_the_objective(self, make_network):
        found = estimate(make_network((32, 32), 8, 10), Mapping("resource", (13, 8, 8)), make_target())
        shares = found.shares(make_target())
        assert found.share(make_target()) == max(shares[name] for name in RESOURCES)
        for objective, name in (("lut", "lut"), ("bram", "bram18"), ("dsp", "dsp"), ("latency", "latency")):
            assert found.share(make_target(objective=objective)) == shares[name]

    def test_violations_name_the_limit(self, make_network):
        network = make_network((64, 64), 6, 6)
        found = estimate(network, Mapping(DA, (1, 1, 1)), make_target())
        assert found.is_feasible(make_target())
        tight = make_target(max_luts=10_000, max_latency_ns=10)
        lut, latency = found.violations(tight)
        assert lut.endswith("LUT, limit 10,000")
        assert latency.endswith("ns, limit 10")
        assert not found.is_feasible(tight)
        assert found.constrained_share(make_target()) == found.share(make_target())
        slow = make_target(max_latency_ns=10)
        assert found.share(slow) < 1 < found.constrained_share(slow) == found.latency_ns.value / 10

    def test_mapping_of_another_network(self, make_network):
        with pytest.raises(ValueError, match="is for 2 layers, not 3"):
            estimate(make_network((8, 8), 4, 4), Mapping(DA, (1, 1)), make_target())

    @settings(max_examples=60, deadline=None)
    @given(
        topology=st.lists(st.integers(1, 90), min_size=1, max_size=6),
        bits=st.tuples(st.integers(2, 8), st.integers(2, 8)),
        seed=st.integers(0, 99),
        clock=st.sampled_from([1.0, 2.5, 5.0, 25.0]),
    )
    def test_no_figure_is_negative_and_all_lie_in_their_intervals(self, topology, bits, seed, clock):
        network = build_network(topology, *bits, seed=seed)
        target = make_target(clock_ns=clock, max_latency_ns=1e5)
        for mapping in enumerate_mappings([(layer.n_in, layer.n_out) for layer in network.layers], target):
            found = estimate(network, mapping, target)
            names = {field.name for field in dataclasses.fields(found)} - {"copies"}
            for figure in (*(getattr(found, name) for name in names), found.achievable_latency_ns):
                assert 0 <= figure.low <= figure.value <= figure.high < np.inf
            assert found.latency_cycles.low >= 1
            assert found.lut.value > 0

    def test_a_network_of_zeros_costs_its_input_format(self, make_network):
        network = make_network((8,), 4, 4)
        network = with_weights(network, np.zeros((13, 8)), np.zeros((8, 1)))
        found = estimate(network, Mapping(DA, (1, 1)), make_target())
        assert 0 < found.lut.value < 500

    def test_a_faster_clock_takes_more_cycles_and_registers(self, make_network):
        network = make_network((64, 32), 6, 6)
        slow, fast = (estimate(network, Mapping(DA, (1, 1, 1)), make_target(clock_ns=c)) for c in (5.0, 2.0))
        assert fast.latency_cycles.value > slow.latency_cycles.value
        assert fast.ff.value > slow.ff.value
        assert fast.lut == slow.lut

    def test_sparser_is_cheaper(self, make_network):
        network = make_network((64, 32), 6, 6)
        rng = np.random.default_rng(0)
        thin = with_weights(
            network, *(layer.weights * (rng.random(layer.weights.shape) < 0.5) for layer in network.layers)
        )
        for strategy in (DA, "latency"):
            full, half = (estimate(n, Mapping(strategy, (1, 1, 1)), make_target()) for n in (network, thin))
            assert half.lut.value < 0.75 * full.lut.value
            assert half.ebops.value < 0.6 * full.ebops.value

    @settings(max_examples=60, deadline=None)
    @given(
        topology=st.lists(st.integers(1, 60), min_size=1, max_size=4),
        weight_bits=st.integers(2, 4),  # no product on a DSP
        activation_bits=st.sampled_from([2, 3, 4, 6, 8, 16]),
        seed=st.integers(0, 99),
    )
    def test_unrolled_additions_cost_no_less_than_shared_ones(self, topology, weight_bits, activation_bits, seed):
        network = build_network(topology, weight_bits, activation_bits, seed=seed)
        ones = (1,) * len(network.layers)
        shared, unrolled = (estimate(network, Mapping(s, ones), make_target()) for s in (DA, "latency"))
        assert unrolled.dsp.value == 0
        assert unrolled.lut.value >= shared.lut.value * (1 - 1e-12)

    def test_products_on_dsps_take_their_part_of_the_additions(self, make_network):
        """As many DSPs as at 16 bits make Latency cheaper in LUTs than the graph, but never free of additions."""
        network = make_network((50, 40), 8, 16)
        shared, unrolled = (estimate(network, Mapping(s, (1, 1, 1)), make_target()) for s in (DA, "latency"))
        assert unrolled.dsp.value > 50
        assert 0.3 * shared.lut.value < unrolled.lut.value < shared.lut.value


class TestBitsOfTheirOwn:
    """Layers whose inputs, weights and outputs have bits of their own."""

    def test_one_width_costs_what_the_laws_said_when_they_were_fitted(self, make_network):
        rows = read_table("uniform_figures.csv")
        for i, text in enumerate(rows["candidate"]):
            candidate = parse_candidate(text, BitWidths(6, 6))
            bits = candidate.uniform_bits
            network = make_network(candidate.topology, bits.weights, bits.activations)
            factors = (x.n_in if rows["strategy"][i] == "resource" else 1 for x in network.layers)
            found = estimate(network, Mapping(rows["strategy"][i], tuple(factors)), make_target())
            for name in ("lut", "ff", "dsp", "bram18", "latency_ns", "ebops"):
                assert getattr(found, name).value == pytest.approx(rows[name][i], rel=1e-12)
            assert found.lut.high == pytest.approx(rows["lut_high"][i], rel=1e-12)

    def test_ebops_multiply_each_weight_with_its_own_input(self, make_network):
        network = with_activations(make_network((2,), 4, 4, n_inputs=2), [3, 5], [2, 5])
        network = with_weights(network, [[5, 0], [2, 7]], [[12], [4]])
        network = dataclasses.replace(
            network,
            input_format=dataclasses.replace(network.input_format, bits=np.array([6, 4])),
            layers=tuple(dataclasses.replace(x, bias=np.zeros(x.n_out, np.int64)) for x in network.layers),
        )
        assert measured_traits(network).ebops == 6 * 3 + 4 * 1 + 4 * 3 + 3 * 2 + 5 * 1

    def test_traits_are_of_what_the_layers_hold(self, make_network):
        network = with_activations(make_network((3,), 4, 4, n_inputs=2), [3, 5, 0], [2, 5, 0])
        network = with_weights(network, [[5, 1, 1], [2, 7, 1]], [[3], [4], [9]])
        traits = measured_traits(network)
        assert traits.input_bits.tolist() == [10, (3 * 2 + 5 * 1) / 3]  # 3 has two signed digits, 4 has one
        assert traits.input_type_bits.tolist() == [10, 1 + 5]  # one integer bit of the first, five fraction bits
        assert traits.nonzero.tolist() == [4, 2]  # the third neuron is always zero
        assert traits.busy_outputs.tolist() == [2, 1]

    @pytest.mark.parametrize("strategy", [DA, "latency"])
    def test_narrower_outputs_and_unread_inputs_cost_less(self, make_network, strategy):
        wide = make_network((16, 16), 6, 8, n_inputs=8)
        narrow = with_activations(wide, np.arange(16) % 4 + 3, np.arange(16) % 4 + 2)
        weights = wide.layers[0].weights.copy()
        weights[:4] = 0
        unread = with_weights(wide, weights, *(layer.weights for layer in wide.layers[1:])).pruned()
        mapping, target = Mapping(strategy, (1, 1, 1)), make_target()
        whole = estimate(wide, mapping, target).lut.value
        assert estimate(narrow, mapping, target).lut.value < whole
        assert whole - estimate(unread, mapping, target).lut.value >= input_format_luts(measured_traits(wide), 4)

    @pytest.mark.parametrize(("seed", "folds"), [(3, False), (4, True), (9, True), (10, True)])
    def test_a_network_costs_no_more_once_it_is_pruned(self, make_network, seed, folds):
        """The estimate knows neurons without weights or bits; those that always saturate only pruning finds."""
        network = make_network((6, 6), 2, 3, seed=seed)
        pruned = with_activations(network, [0, 3, 2, 0, 1, 3], [2] * 6)
        before, after = (estimate(x, Mapping(DA, (1, 1, 1)), make_target()) for x in (pruned, pruned.pruned()))
        unread = int(np.count_nonzero(~pruned.pruned().input_format.used))
        assert unread > 0
        saved = before.lut.value - float(input_format_luts(measured_traits(pruned), unread)) - after.lut.value
        assert saved > 1 if folds else saved == pytest.approx(0, abs=1e-6)
        assert after.ebops.value <= before.ebops.value


class TestLiveWeights:
    def test_constants_and_dead_neurons_go(self, make_network):
        network = make_network((3, 2), 4, 4, n_inputs=2)
        # neuron 1 of the first layer has no inputs; neuron 1 of the second feeds nothing, and neuron 2 of the first
        # feeds only that one
        network = with_weights(network, [[1, 0, 2], [1, 0, 2]], [[3, 0], [3, 3], [0, 3]], [[1], [0]])
        first, second, third = live_weights(network)
        assert first.tolist() == [[1, 0, 0], [1, 0, 0]]
        assert second.tolist() == [[3, 0], [0, 0], [0, 0]]
        assert third.tolist() == [[1], [0]]

    def test_ebops_count_them_all(self, make_network):
        network = make_network((2,), 4, 4, n_inputs=1)
        network = with_weights(network, [[5, 0]], [[0], [6]])
        network = dataclasses.replace(
            network, layers=tuple(dataclasses.replace(x, bias=np.zeros(x.n_out, np.int64)) for x in network.layers)
        )
        assert measured_traits(network).ebops == 10 * 3 + 4 * 2


class TestAgainstTheTools:
    def test_ebops_are_those_of_hgq2(self, make_network):
        """HGQ2 counts the bits of its quantizers: give each weight and bias just the bits that it needs."""
        import keras
        from hgq.config import QuantizerConfig
        from hgq.layers import QDense

        network = make_network((7,), 5, 4, n_inputs=6, n_outputs=3)
        total = 0.0
        for bits, layer in ((10, network.layers[0]), (4, network.layers[1])):
            inputs = QuantizerConfig(
                "kif", k0=0, i0=bits, f0=0, overflow_mode="SAT", heterogeneous_axis=(), trainable=False
            )
            each = QuantizerConfig("kif", "weight", overflow_mode="SAT_SYM", homogeneous_axis=(), trainable=False)
            dense = QDense(layer.n_out, iq_conf=inputs, kq_conf=each, bq_conf=each, enable_iq=True, enable_ebops=True)
            dense.build((None, layer.n_in))
            for quantizer, integers in ((dense.kq.quantizer, layer.weights), (dense.bq.quantizer, layer.bias)):
                magnitude = np.abs(integers).astype(np.int64)
                lowest = np.log2(np.maximum(magnitude & -magnitude, 1)).astype(np.int64)
                highest = np.frexp(magnitude.astype(float))[1]
                quantizer._i.assign(np.where(magnitude > 0, highest, 0))
                quantizer._f.assign(np.where(magnitude > 0, -lowest, 0))
            total += float(keras.ops.convert_to_numpy(dense._compute_ebops((1, layer.n_in))))
        assert estimate(network, Mapping(DA, (1, 1)), make_target()).ebops.value == round(total)

    @pytest.mark.parametrize(
        ("topology", "weight_bits", "activation_bits"),
        [((64, 32, 32), 6, 6), ((32, 32), 8, 8), ((16,), 4, 4), ((20, 20, 20, 20), 5, 6), ((48, 24), 3, 5)],
    )
    def test_adder_graphs_are_those_of_da4ml(self, make_network, topology, weight_bits, activation_bits):
        """Cost (in the law's own interval) and depth of the graphs that da4ml builds for these very weights."""
        from da4ml.trace import FixedVariableArray, HWConfig, comb_trace
        from da4ml.trace.ops import relu

        network = make_network(topology, weight_bits, activation_bits)
        n = network.layers[0].n_in
        start = values = FixedVariableArray.from_kif(
            np.zeros(n, bool), np.full(n, 10), np.zeros(n, int), HWConfig(1, -1, -1), solver_options={"hard_dc": 2}
        )
        reach = 2.0**10
        for layer in network.layers:
            values = values @ layer.weights.astype(np.float32) + layer.bias.astype(float)
            if layer.activation_bits is not None:
                reach *= np.sqrt((layer.weights.astype(float) ** 2).sum(axis=0).mean()) / 2
                integer_bits = int(np.ceil(np.log2(reach)))
                reach = 2.0**integer_bits
                formats = (np.zeros(layer.n_out, bool), np.full(layer.n_out, integer_bits))
                fractions = layer.activation_bits - integer_bits
                values = relu(values).quantize(*formats, fractions, overflow_mode="SAT", round_mode="RND")
        graph = comb_trace(start, values)
        traits = measured_traits(network)
        assert adder_graph_cost(traits).sum() == pytest.approx(operation_bits(graph).luts, rel=GRAPH_SPREAD)
        assert adder_graph_depth(traits).sum() == pytest.approx(graph.latency[1], abs=3)


class TestPoints:
    def test_no_point_beats_another_and_none_is_missing(self, make_network):
        target = make_target(rate_mhz=1)
        network = make_network((64, 32), 8, 8)

        def key(figures):
            return (*(figures.total(r) for r in RESOURCES), figures.latency_cycles.value, figures.ii_cycles.value)

        found = points(network, target)
        kept = {point.mapping: key(point.figures) for point in found}
        assert len(kept) > 2
        for (_, a), (mapping, b) in itertools.permutations(kept.items(), 2):
            assert mapping.strategy == DA or any(x > y for x, y in zip(a, b, strict=True))
        for mapping in enumerate_mappings([(layer.n_in, layer.n_out) for layer in network.layers], target):
            other = key(estimate(network, mapping, target))
            if mapping in kept:
                assert other == kept[mapping]
            else:
                assert any(all(x <= y for x, y in zip(one, other, strict=True)) for one in kept.values())

    def test_distributed_arithmetic_is_kept_where_another_mapping_beats_it(self):
        """By law Latency does, in LUT, FF and latency, for a network that was polished."""
        network = QuantizedNetwork.load(FRONT / "front-46-10.npz")
        target = make_target()
        found = {point.mapping.strategy: point.figures for point in points(network, target)}
        adders, latency = found[DA], found["latency"]
        for name in (*RESOURCES, "latency_cycles", "ii_cycles"):
            assert getattr(latency, name).value <= getattr(adders, name).value
        assert latency.ff.value < adders.ff.value

    def test_cheapest_share_first(self, make_network):
        for objective in ("share", "lut", "ff", "latency"):
            target = make_target(objective=objective, rate_mhz=5)
            shares = [point.figures.share(target) for point in points(make_network((64, 32), 8, 8), target)]
            assert shares == sorted(shares)

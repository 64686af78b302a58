"""The laws against reports. Errors are symmetric (|p - y| over the mean, floors as small counts need them)."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hardware_cases import DATA
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_fpga.hardware import _adder_law, _hls_laws, _stages
from nas_fpga.hardware._cost_array import HIGH, LOW, QUANTITIES, VALUE
from nas_fpga.hardware._expected import expected_traits
from nas_fpga.hardware._mappings import multiplier_limit
from nas_fpga.hardware._period import LEVELS_SEEN
from nas_fpga.hardware._traits import LayerTraits
from nas_fpga.hardware._weights import csd_digits, weight_statistics


def smape(predicted, reported, floor):
    return float(np.mean(np.abs(predicted - reported) / np.maximum((predicted + reported) / 2, floor)))


def reported_traits(rows, **counts) -> LayerTraits:
    """Traits `(n, 1)` of single layers with 16-bit data."""
    n = len(rows["n_in"])
    given = {
        "n_in": rows["n_in"],
        "n_out": rows["n_out"],
        "weight_bits": rows["weight_bits"],
        "input_bits": np.full(n, 16.0),
        "input_type_bits": np.full(n, 16.0),
    }
    zero = dict.fromkeys(LayerTraits.__dataclass_fields__, np.zeros(n))
    return LayerTraits(**{name: column[:, None] for name, column in (zero | given | counts).items()})


class TestWeights:
    def test_csd_digits(self):
        # 7 = 8 - 1, 11 = 8 + 4 - 1, 85 = 64 + 16 + 4 + 1
        assert csd_digits(np.array([0, 1, 2, 3, -7, 11, 85, -128])).tolist() == [0, 1, 1, 2, 2, 3, 4, 1]

    def test_statistics_by_hand(self):
        weights = np.array([[4, -4, 4, 0], [13, 13, 3, 0], [0, 0, 0, 0]])
        found = weight_statistics(weights)
        assert (found.nonzero, found.busy_inputs, found.busy_outputs) == (6, 2, 3)
        # input 0 has the distinct weights 4 and -4; input 1 has 13 = 16 - 4 + 1, on a DSP, and 3 = 4 - 1
        assert (found.distinct_powers, found.distinct_others, found.dsp_products) == (2, 1, 1)
        assert found.csd_digits == 3 + 3 + 3 + 2

    def test_counts_of_the_reports(self, table):
        rows = table("unrolled_reports.csv")
        with np.load(DATA / "weights_32_32.npz") as arrays:
            for name, weights in arrays.items():
                row = (rows["n_in"] == 32) & (rows["n_out"] == 32) & (rows["weight_bits"] == int(name[1:]))
                found = weight_statistics(weights)
                for count in ("nonzero", "distinct_powers", "distinct_others", "dsp_products"):
                    assert (rows[count][row] == getattr(found, count)).all()


class TestResource:
    """871 reports with a reuse factor above n_in, 64 layer shapes, 2 to 14 bits."""

    @pytest.fixture
    def rows(self, table):
        return table("resource_reports.csv")

    @staticmethod
    def luts(rows):
        law = _hls_laws.resource_luts(reported_traits(rows), rows["reuse_factor"][:, None])[:, 0]
        return law + _hls_laws._RESOURCE_LUT_DESIGN

    @staticmethod
    def ffs(rows):
        law = _hls_laws.resource_ffs(reported_traits(rows), rows["reuse_factor"][:, None])[:, 0]
        return law + _hls_laws._RESOURCE_FF_LAYER

    def test_luts(self, rows):
        assert smape(self.luts(rows), rows["lut"], 100) < 0.003  # 0.2 % on layer shapes left out of the fit
        assert np.max(np.abs(self.luts(rows) / rows["lut"] - 1)) < 0.11

    def test_ffs(self, rows):
        assert smape(self.ffs(rows), rows["ff"], 100) < 0.015  # 1.4 % on shapes left out

    def test_dsps(self, rows):
        found = _hls_laws.resource_dsps(reported_traits(rows), rows["reuse_factor"][:, None])[:, 0]
        assert (found == rows["dsp"]).all()

    def test_brams(self, rows):
        found = _hls_laws.resource_brams(reported_traits(rows), rows["reuse_factor"][:, None])[:, 0]
        assert np.mean(found == rows["bram18"]) > 0.9
        assert np.mean(np.abs(found - rows["bram18"]) <= 1) > 0.995

    @pytest.mark.parametrize(("quantity", "spread"), [("lut", "_RESOURCE_SPREAD"), ("ff", "_RESOURCE_FF_SPREAD")])
    def test_intervals_cover_by_shape(self, rows, quantity, spread):
        """At csynth: 90 % of the reports of each layer shape, on average, lie in the law's own interval."""
        law = {"lut": self.luts, "ff": self.ffs}[quantity](rows)
        inside = np.abs(np.log(law / rows[quantity])) <= getattr(_hls_laws, spread)
        shape = rows["n_in"] * 1000 + rows["n_out"]
        assert np.mean([inside[shape == s].mean() for s in np.unique(shape)]) > 0.9

    def test_cycles(self, rows):
        latency, interval = _hls_laws.resource_cycles(rows["reuse_factor"])
        assert (interval == rows["ii_cycles"]).all()
        assert set(latency - rows["latency_cycles"]) == {0, 1}
        assert np.mean(latency == rows["latency_cycles"]) > 0.95
        found = _hls_laws.resource_strategy(reported_traits(rows), rows["reuse_factor"][:, None], 1, 5.0)
        assert (found[QUANTITIES.index("ii_cycles"), VALUE] == interval).all()
        assert (found[QUANTITIES.index("latency_cycles"), VALUE] == latency).all()
        assert (found[QUANTITIES.index("latency_cycles"), LOW] <= rows["latency_cycles"]).all()

    def test_dsps_of_the_interval_are_those_reported(self, rows):
        dsp = _hls_laws.resource_strategy(reported_traits(rows), rows["reuse_factor"][:, None], 1, 5.0)[2]
        assert ((dsp[LOW] <= rows["dsp"]) & (rows["dsp"] <= dsp[HIGH])).all()
        assert (dsp[LOW] >= 0.9 * rows["dsp"]).all()


class TestUnrolled:
    """62 reports of layers whose weights are known: 2 to 14 bits, five shapes, both strategies at reuse factor 1."""

    @pytest.fixture
    def rows(self, table):
        return table("unrolled_reports.csv")

    @pytest.fixture
    def traits(self, rows):
        counts = ("nonzero", "distinct_powers", "distinct_others", "dsp_products")
        return reported_traits(rows, **{name: rows[name] for name in counts})

    @staticmethod
    def law(kind, rows, traits):
        both = {strategy: kind(traits, strategy)[:, 0] for strategy in ("latency", "resource")}
        return np.where(rows["strategy"] == "latency", both["latency"], both["resource"])

    def test_luts(self, rows, traits):
        found = self.law(_hls_laws.unrolled_luts, rows, traits)
        assert smape(found, rows["lut"], 100) < 0.025  # 2.3 % on layer shapes left out of the fit
        assert np.max(np.abs(found / rows["lut"] - 1)) < 0.1

    def test_ffs(self, rows, traits):
        found = self.law(_hls_laws.unrolled_ffs, rows, traits)
        assert np.median(np.abs(found / rows["ff"] - 1)) < 0.08  # 7.6 % on shapes left out
        assert np.mean(np.abs(np.log(found / rows["ff"])) <= _hls_laws._UNROLLED_FF_SPREAD) > 0.9

    def test_dsps(self, rows):
        assert smape(rows["dsp_products"], rows["dsp"], 4) < 0.005
        assert (rows["dsp"] >= _hls_laws._DSP_LOW_SEEN * rows["dsp_products"]).all()

    def test_intervals_cover_by_shape(self, rows, traits):
        found = self.law(_hls_laws.unrolled_luts, rows, traits)
        inside = np.abs(np.log(found / rows["lut"])) <= _hls_laws._UNROLLED_SPREAD
        shape = rows["n_in"] * 1000 + rows["n_out"]
        assert np.mean([inside[shape == s].mean() for s in np.unique(shape)]) > 0.85

    @pytest.mark.parametrize("strategy", ["latency", "resource"])
    def test_cycles(self, rows, strategy):
        """A layer alone takes one cycle or, where all its sums fit into the first, none."""
        of, one = rows["strategy"] == strategy, np.array(1.0)
        latency, interval = (
            _hls_laws.resource_cycles(one) if strategy == "resource" else _hls_laws.latency_cycles(one, one, one)
        )
        assert set(rows["latency_cycles"][of]) == {0, float(latency)}
        assert set(rows["ii_cycles"][of]) == {1, float(interval)}


class TestFoldedLatency:
    """Latency takes a reuse factor as a hint of how many multipliers there may be."""

    # inputs, outputs, weight bits, reuse factor, zeros, products, DSPs, latency and II of reports
    REPORTS = (
        (32, 32, 14, 512, 0, 965, 2, 484, 485),
        (32, 32, 14, 1024, 0, 965, 2, 484, 485),
        (32, 64, 8, 1024, 28, 487, 3, 164, 165),
        (32, 96, 10, 512, 15, 1834, 6, 307, 308),
        (64, 32, 6, 512, 148, 0, 0, 2, 3),
    )

    @pytest.mark.parametrize("report", REPORTS)
    def test_products_take_turns_on_the_multipliers(self, report):
        n_in, n_out, _, reuse, zeros, products, dsps, latency, interval = report
        limit = multiplier_limit(n_in, n_out, reuse, zeros)
        assert _hls_laws.latency_dsps(reuse, products, limit) == dsps
        assert _hls_laws.latency_cycles(reuse, products, dsps) == (latency, interval)


class TestWhereTheReportsEnd:
    def layer(self, **other):
        zero = dict.fromkeys(LayerTraits.__dataclass_fields__, 0.0)
        inside = {"n_in": 64.0, "n_out": 96.0, "weight_bits": 8.0, "input_bits": 16.0, "input_type_bits": 16.0}
        return LayerTraits(**{name: np.array([x]) for name, x in (zero | inside | other).items()})

    def test_inside(self):
        for reuse in (1.0, 128.0):
            assert _hls_laws.in_reports(self.layer(), np.array([reuse]), 5.0)

    @pytest.mark.parametrize(
        ("other", "reuse", "clock_ns"),
        [
            ({"weight_bits": 7.0}, 128, 5),
            ({"weight_bits": 16.0}, 128, 5),
            ({"n_out": 288.0}, 128, 5),
            ({"n_in": 31.0}, 62, 5),
            ({"input_bits": 8.0, "input_type_bits": 8.0}, 128, 5),
            ({}, 64, 5),
            ({}, 2, 5),
            ({}, 128, 2.5),
        ],
        ids=["odd bits", "more bits", "wider", "narrower", "data", "reuse of n_in", "reuse of 2", "clock"],
    )
    def test_outside_intervals_are_wide(self, other, reuse, clock_ns):
        layer, reuse = self.layer(**other), np.array([float(reuse)])
        assert not _hls_laws.in_reports(layer, reuse, clock_ns)
        wide = _hls_laws.resource_strategy(layer, reuse, 1, clock_ns)
        known = _hls_laws.resource_strategy(self.layer(), np.array([128.0]), 1, 5.0)
        for k in (QUANTITIES.index("lut"), QUANTITIES.index("ff")):
            ratio = [cost[k, HIGH] / cost[k, LOW] for cost in (wide, known)]
            assert ratio[0] > 1.5 * ratio[1]

    def test_one_layer_outside_is_enough(self):
        both = LayerTraits(
            **{
                f.name: np.concatenate([getattr(layer, f.name) for layer in (self.layer(), self.layer(n_out=300.0))])
                for f in dataclasses.fields(LayerTraits)
            }
        )
        assert not _hls_laws.in_reports(both, np.array([128.0, 128.0]), 5.0)


LAYERS = st.fixed_dictionaries(
    {
        "n_in": st.integers(1, 300),
        "n_out": st.integers(1, 300),
        "weight_bits": st.integers(2, 14),
        "reuse": st.integers(2, 2048),
    }
)


def folded(layer):
    """LUT, FF, DSP and BRAM of a Resource layer with 16-bit data at its reuse factor."""
    rows = {name: np.array([float(x)]) for name, x in layer.items()}
    traits, reuse = reported_traits({k: rows[k] for k in ("n_in", "n_out", "weight_bits")}), rows["reuse"][:, None]
    laws = (
        _hls_laws.resource_luts,
        _hls_laws.resource_ffs,
        _hls_laws.resource_dsps,
        _hls_laws.resource_brams,
    )
    return np.array([law(traits, reuse)[0, 0] for law in laws])


class TestGrowth:
    """What never falls when a layer grows and its mapping stays; exceptions are those of the reports."""

    @settings(max_examples=300, deadline=None)
    @given(layer=LAYERS, more=st.integers(1, 100))
    def test_more_outputs(self, layer, more):
        assert (folded(layer | {"n_out": layer["n_out"] + more}) >= folded(layer)).all()

    @settings(max_examples=300, deadline=None)
    @given(layer=LAYERS, more=st.integers(1, 100))
    def test_more_inputs(self, layer, more):
        """They save the multiplexers where two rounds then suffice, else at most an index table and a multiplier."""
        wider = layer | {"n_in": layer["n_in"] + more}
        if (layer["reuse"] > 2 * layer["n_in"]) == (layer["reuse"] > 2 * wider["n_in"]):
            assert (folded(wider) >= folded(layer) - [0, 0, 1, 1]).all()

    @settings(max_examples=300, deadline=None)
    @given(layer=LAYERS)
    def test_more_weight_bits(self, layer):
        """At 6 bits a multiplier takes five LUTs less."""
        multipliers = layer["n_in"] * layer["n_out"] / layer["reuse"]
        saved = 4.8 * multipliers if layer["weight_bits"] == 5 else 0
        assert (folded(layer | {"weight_bits": layer["weight_bits"] + 1}) >= folded(layer) - [saved, 0, 0, 0]).all()

    @settings(max_examples=300, deadline=None)
    @given(layer=LAYERS, more=st.integers(1, 500))
    def test_a_larger_reuse_factor_takes_no_more_dsps_and_is_slower(self, layer, more):
        """From 2 on: unrolled layers have constants for weights, few of which are on DSPs."""
        later = layer["reuse"] + more
        assert folded(layer | {"reuse": later})[2] <= folded(layer)[2]
        before, after = (np.array(_hls_laws.resource_cycles(np.array(x))) for x in (layer["reuse"], later))
        assert (after > before).all()

    @settings(max_examples=100, deadline=None)
    @given(
        shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
        bits=st.integers(2, 14),
        kept=st.floats(0, 1),
        seed=st.integers(0, 99),
    )
    def test_more_weights_unrolled(self, shape, bits, kept, seed):
        """More bits of the same weights may cost fewer LUTs: products of three digits move to DSPs."""
        rng = np.random.default_rng(seed)
        weights = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), shape)
        rows = {"n_in": np.full(2, shape[0]), "n_out": np.full(2, shape[1]), "weight_bits": np.full(2, bits)}
        both = [dataclasses.asdict(weight_statistics(w)) for w in (weights * (rng.random(shape) < kept), weights)]
        counts = {name: np.array([each[name] for each in both]) for name in both[0]}
        traits = reported_traits(rows, **counts)
        for strategy in ("latency", "resource"):
            for law in (_hls_laws.unrolled_luts, _hls_laws.unrolled_ffs):
                few, all_ = law(traits, strategy)[:, 0]
                assert few <= all_
        assert counts["dsp_products"][0] <= counts["dsp_products"][1]

    @settings(max_examples=100, deadline=None)
    @given(
        topology=st.lists(st.integers(1, 200), min_size=2, max_size=6),
        bits=st.tuples(st.integers(2, 8), st.integers(2, 16)),
        reuse=st.integers(1, 300),
    )
    def test_more_layers(self, topology, bits, reuse):
        deep = expected_traits(np.array([[*topology, *bits]]), 13, 1, 10)
        last = len(topology)
        shallow = LayerTraits(
            **{
                f.name: np.where(np.arange(last + 1) < last, getattr(deep, f.name), 0)
                for f in dataclasses.fields(LayerTraits)
            }
        )
        for fewer, more in (
            (_hls_laws.latency_strategy(x, 13, 5.0)[:, VALUE] for x in (shallow, deep)),
            (_hls_laws.resource_strategy(x, np.array(float(reuse)), 13, 5.0)[:, VALUE] for x in (shallow, deep)),
        ):
            assert (more >= fewer * (1 - 1e-12)).all()

    @settings(max_examples=200, deadline=None)
    @given(
        layer=LAYERS,
        input_bits=st.integers(2, 15),
    )
    def test_more_data_bits(self, layer, input_bits):
        """LUTs fall only where products become wide enough for DSPs."""
        rows = {name: np.full(2, float(x)) for name, x in layer.items()}
        data = np.array([input_bits, input_bits + 1.0])
        traits = reported_traits(
            {k: rows[k] for k in ("n_in", "n_out", "weight_bits")}, input_bits=data, input_type_bits=data
        )
        cost = _hls_laws.resource_strategy(traits, rows["reuse"][:, None], 1, 5.0)[:, VALUE]
        less, more = cost.T
        if more[QUANTITIES.index("dsp")] > less[QUANTITIES.index("dsp")]:
            more[QUANTITIES.index("lut")] = np.inf
        assert (more >= less).all()


class TestStages:
    def test_ratios_are_those_of_the_networks(self, table):
        rows = table("stage_pairs.csv")
        networks = np.unique(rows["network"])
        for kind, ratio, spread in (
            ("lut", _stages.CSYNTH_LUT_RATIO, _stages.CSYNTH_LUT_SPREAD),
            ("ff", _stages.CSYNTH_FF_RATIO, _stages.CSYNTH_FF_SPREAD),
        ):
            logs = np.log(rows[f"csynth_{kind}"] / rows[f"later_{kind}"])
            means = np.array([logs[rows["network"] == name].mean() for name in networks])
            assert np.exp(means.mean()) == pytest.approx(ratio, abs=0.006)
            student = 1.8946  # 95 % quantile with seven degrees of freedom
            assert student * means.std(ddof=1) * np.sqrt(1 + 1 / len(means)) == pytest.approx(spread, abs=0.006)

    def test_adder_graph_ratio_holds_for_placed_designs(self, table):
        rows = table("jedi_linear.csv")
        error = np.log(_stages.ADDER_GRAPH_LUT_RATIO * rows["da4ml_cost"] / rows["lut"])
        assert np.median(np.abs(error)) < 0.04
        assert np.mean(np.abs(error) <= _stages.ADDER_GRAPH_LUT_SPREAD) >= 0.95


class TestDistributedArithmetic:
    # random Gaussian networks: inputs, hidden, outputs, bits; EBOPs, da4ml cost, LUT of Yosys synth_xilinx (xcup)
    NETWORKS = (
        (8, (16, 16), 1, 6, 4_850, 3_172, 3_534),
        (16, (32,), 5, 6, 9_230, 5_820, 6_897),
        (16, (64, 32, 32), 5, 4, 17_768, 15_056, 15_997),
        (16, (64, 32, 32), 5, 6, 52_180, 32_307, 35_230),
    )

    @pytest.mark.parametrize("network", NETWORKS)
    def test_cost_of_whole_networks_before_training(self, network):
        """Expected weights stand for those drawn; 25 % is what the expectation of a few hundred weights allows."""
        n_in, topology, n_out, bits, ebops, cost, _ = network
        traits = expected_traits(np.array([[*topology, bits, bits]]), n_in, n_out, bits)
        assert _adder_law.adder_graph_cost(traits).sum() == pytest.approx(cost, rel=0.25)
        assert traits.ebops[0] == pytest.approx(ebops, rel=0.25)

    def test_flip_flops(self, table):
        rows = table("jedi_linear.csv")
        law = _adder_law._FF_PER_LUT_AND_CUT * rows["lut"] / LEVELS_SEEN
        assert np.max(np.abs(np.log(law / rows["ff"]))) < _adder_law._FF_SPREAD

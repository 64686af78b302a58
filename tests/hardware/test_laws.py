"""The laws against reports. Errors are symmetric (|p - y| over the mean, floors as small counts need them)."""

from __future__ import annotations

import numpy as np
import pytest
from hardware_cases import DATA

from nas_fpga.hardware import _adder_law, _hls_laws, _stages
from nas_fpga.hardware._cost_array import HIGH, LOW, QUANTITIES, VALUE
from nas_fpga.hardware._expected import expected_traits
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
    """871 reports with a reuse factor above n_in, 16 layer shapes, 2 to 14 bits."""

    @pytest.fixture
    def rows(self, table):
        return table("resource_reports.csv")

    def test_luts(self, rows):
        found = (
            _hls_laws.resource_luts(reported_traits(rows), rows["reuse_factor"][:, None])[:, 0] + _hls_laws._LUT_DESIGN
        )
        assert smape(found, rows["lut"], 100) < 0.012  # 0.9 % on layer shapes left out of the fit
        assert np.max(np.abs(found / rows["lut"] - 1)) < 0.15

    def test_ffs(self, rows):
        found = _hls_laws.resource_ffs(reported_traits(rows), rows["reuse_factor"][:, None])[:, 0] + 137
        assert smape(found, rows["ff"], 100) < 0.03  # 2.4 % on shapes left out

    def test_dsps(self, rows):
        found = _hls_laws.resource_dsps(reported_traits(rows), rows["reuse_factor"][:, None])[:, 0]
        assert (found == rows["dsp"]).all()

    def test_brams(self, rows):
        found = _hls_laws.resource_brams(reported_traits(rows), rows["reuse_factor"][:, None])[:, 0]
        assert np.mean(found == rows["bram18"]) > 0.9
        assert np.mean(np.abs(found - rows["bram18"]) <= 1) > 0.995

    def test_intervals_cover_by_shape(self, rows):
        """LUT and FF at csynth: 90 % of the reports of each layer shape lie in the law's own interval."""
        reuse = rows["reuse_factor"][:, None]
        law = _hls_laws.resource_luts(reported_traits(rows), reuse)[:, 0] + _hls_laws._LUT_DESIGN
        inside = np.abs(np.log(law / rows["lut"])) <= _hls_laws._RESOURCE_SPREAD
        shape = rows["n_in"] * 1000 + rows["n_out"]
        shares = [inside[shape == s].mean() for s in np.unique(shape)]
        assert np.mean(shares) > 0.9

    def test_cycles(self, rows):
        found = _hls_laws.resource_strategy(reported_traits(rows), rows["reuse_factor"][:, None], 1, 5.0)
        latency = found[QUANTITIES.index("latency_cycles")]
        assert (found[QUANTITIES.index("ii_cycles"), VALUE] == rows["ii_cycles"]).all()
        assert ((latency[LOW] <= rows["latency_cycles"]) & (rows["latency_cycles"] <= latency[HIGH])).mean() > 0.95


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
        assert smape(found, rows["lut"], 100) < 0.03  # 2.3 % on layer shapes left out of the fit
        assert np.max(np.abs(found / rows["lut"] - 1)) < 0.1

    def test_ffs(self, rows, traits):
        found = self.law(_hls_laws.unrolled_ffs, rows, traits)
        assert np.median(np.abs(np.log(found / rows["ff"]))) < 0.15
        assert np.mean(np.abs(np.log(found / rows["ff"])) <= _hls_laws._UNROLLED_FF_SPREAD) > 0.9

    def test_dsps(self, rows):
        assert smape(rows["dsp_products"], rows["dsp"], 4) < 0.005

    def test_intervals_cover_by_shape(self, rows, traits):
        found = self.law(_hls_laws.unrolled_luts, rows, traits)
        inside = np.abs(np.log(found / rows["lut"])) <= _hls_laws._UNROLLED_SPREAD
        shape = rows["n_in"] * 1000 + rows["n_out"]
        assert np.mean([inside[shape == s].mean() for s in np.unique(shape)]) > 0.9


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

    def test_period_law(self, table):
        rows = table("jedi_linear.csv")
        period = _adder_law._PERIOD_CONSTANT_NS + _adder_law._PERIOD_SQRT_LUT_NS * np.sqrt(rows["lut"])
        error = np.abs(period / rows["actual_period_ns"] - 1)
        assert np.median(error) < 0.05
        assert error.max() < 0.18

    def test_flip_flops(self, table):
        rows = table("jedi_linear.csv")
        law = _adder_law._FF_PER_LUT_AND_CUT * rows["lut"] / _adder_law._PERIOD_LEVELS
        assert np.max(np.abs(np.log(law / rows["ff"]))) < _adder_law._FF_SPREAD

"""The laws of period, latency and LUTs keep their bars on placed designs, and what is shipped is what was fitted."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.estimators import period
from benchmarks.estimators.hls_reports import unseen
from nas_fpga.hardware import _period, _stages


def read_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "period.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("period")
    period.main(["--out", str(folder)])
    return folder


@pytest.fixture(scope="module")
def results(written: Path) -> dict:
    return json.loads((written / "period.json").read_text())


class TestReports:
    @pytest.mark.parametrize("kept", [False, True])
    def test_every_bar_is_met(self, written, kept):
        bars = json.loads(((period.HERE if kept else written) / "period.json").read_text())["bars"]
        assert len(bars) == 12
        assert all(bar["met"] for bar in bars)

    def test_the_table_is_the_one_kept(self, written):
        kept, new = read_rows(period.HERE), read_rows(written)
        assert len(kept) == len(new) == 6
        for old, row in zip(kept, new, strict=True):
            for key, text in row.items():
                assert old[key] == text or float(old[key]) == pytest.approx(float(text), rel=0.01), key

    def test_all_designs_and_pairs_count(self, written):
        counts = {(row["left_out"], row["designs"], row["groups"]) for row in read_rows(written)}
        assert counts == {("design", "20", "20"), ("pair", "20", "10")}

    def test_shipped_constants_are_the_fit(self, results):
        constants = results["constants"]
        assert constants["period_ns"] == pytest.approx([_period._CONSTANT_NS, _period._SQRT_LUT_NS], rel=0.005)
        assert constants["lut"] == pytest.approx([_stages.ADDER_GRAPH_LUT_RATIO], rel=0.005)

    def test_shipped_half_widths_are_the_calibrated_ones_or_wider(self, results):
        assert results["half_widths"]["period_ns"] == pytest.approx(_period._SPREAD, rel=0.01)
        assert results["half_widths"]["lut"] <= _stages.ADDER_GRAPH_LUT_SPREAD

    def test_range_of_the_designs(self):
        luts = period.read(period.REPORTS / "jedi_linear.csv")["lut"]
        assert (luts.min(), luts.max()) == _period._LUTS_SEEN


class TestLaws:
    """On made-up designs: 1 + 0.01 sqrt(LUT) ns, LUTs 1.25 times da4ml's cost."""

    @staticmethod
    def laws(factors=1.0, n=12):
        """Laws of designs whose periods are off by these factors; neighbours are a pair."""
        cost, cycles = np.linspace(1e4, 1e5, n), np.arange(n) + 10.0
        made = factors * (1 + 0.01 * np.sqrt(1.25 * cost))
        rows = {"da4ml_cost": cost, "lut": 1.25 * cost, "latency_cycles": cycles, "actual_period_ns": made}
        return {law.quantity: law for law in period.laws(rows, np.arange(n)[:, None] // 2)}

    def test_what_was_put_in_comes_out(self):
        laws = self.laws()
        everything = np.ones(12, np.bool_)
        assert laws["period_ns"].fit(everything) == pytest.approx([1, 0.01])
        assert laws["lut"].fit(everything) == pytest.approx([1.25])
        assert laws["latency_ns"].fit(everything) == pytest.approx([1, 0.01 * np.sqrt(1.25)])
        assert unseen(laws["latency_ns"], everything) == pytest.approx(laws["latency_ns"].reported)
        row = period.judge(laws["latency_ns"], "pair")
        assert (row["designs"], row["groups"]) == (12, 6)
        assert row["worst"] < 1e-9

    def test_a_design_is_never_judged_by_its_pair(self):
        off = np.ones(12)
        off[4] = 50.0  # in a pair with 5
        found = unseen(self.laws(off)["period_ns"], np.ones(12, np.bool_))
        assert found[4:6] == pytest.approx(self.laws()["period_ns"].reported[4:6])

    def test_errors_and_coverage_of_noise_are_those_of_the_noise(self):
        factors = np.exp(0.1 * np.random.default_rng(0).normal(size=200))
        row = period.judge(self.laws(factors, 200)["period_ns"], "pair")
        assert row["median"] == pytest.approx(0.0674, rel=0.25)
        assert row["p90"] == pytest.approx(0.1645, rel=0.25)
        assert row["half_width"] == pytest.approx(0.1645, rel=0.25)
        assert 0.85 < row["coverage"] < 0.95

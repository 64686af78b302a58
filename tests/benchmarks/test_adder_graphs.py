"""Judging estimates of distributed arithmetic: functions with closed-form answers, and the committed tables."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from scipy.stats import t as student

from benchmarks.estimators import adder_graphs as module
from benchmarks.estimators.networks import read_drawn
from nas_fpga.hardware import adder_graph, build_netlist
from nas_fpga.hardware._adder_law import _FF_PER_INPUT_BIT, _FF_PER_LUT_AND_CUT
from nas_fpga.hardware._graph_operations import LUTS_PER_BIT
from nas_fpga.hardware._stages import ADDER_GRAPH_LUT_RATIO, NETLIST_FF_RATIO, SYNTHESIS_LUT_RATIO
from nas_fpga.training import QuantizedNetwork


@pytest.fixture(scope="module")
def committed() -> dict:
    return json.loads((module.HERE / "adder_graphs.json").read_text())


def test_luts_per_bit_are_found_again():
    bits = np.random.default_rng(1).uniform(100, 1000, (12, 4))
    planted = np.array([1.1, 0.3, 0.5, 0.0])
    assert module.fit_bits(bits, bits @ planted) == pytest.approx(planted, abs=1e-9)
    assert module.leave_one_out(bits, bits @ planted) == pytest.approx(0, abs=1e-9)


def test_a_network_is_judged_by_the_others():
    """One constant: three networks of ratio 1, one of 2, which moves the fit of the others but not its own."""
    bits = np.column_stack([[1000.0, 2000.0, 3000.0, 1000.0], *np.zeros((3, 4))])
    left_out = module.leave_one_out(bits, bits[:, 0] * [1, 1, 1, 2])
    assert left_out[3] == pytest.approx(np.log(2))
    assert (left_out[:3] < 0).all()


def test_half_width_is_that_of_a_further_network():
    residuals = np.array([0.1, -0.1, 0.1, -0.1])
    by_hand = 0.1 * np.sqrt(1 + 1 / 4) * student.ppf(0.95, 3)
    assert module.half_width(residuals) == pytest.approx(np.hypot(by_hand, module.RARE))


def test_errors_are_relative_to_what_was_counted_or_the_floor():
    error = module.relative(np.array([0.0, 50.0, 1100.0]), np.array([0.0, 0.0, 1000.0]))
    assert error == pytest.approx([0, 0.5, 0.1])


def test_register_stages_are_those_of_the_verilog():
    graph = adder_graph(QuantizedNetwork.load(module.HERE / "networks" / "hgcal-uniform-0.npz"))
    for clock_ns in (1.5, 5.0, 50.0):
        netlist = build_netlist(graph, clock_ns)
        assert module.register_stages(netlist) == netlist.latency_cycles


def test_networks_were_drawn_half_and_half():
    drawn = read_drawn()
    assert len(drawn) == 48
    assert sum(one.unseen for one in drawn) == 24
    assert {one.name.rsplit("-", 1)[0] for one in drawn} == {
        f"{data}-{kind}" for data in ("hgcal", "jets", "digits") for kind in ("uniform", "learned")
    }


def test_the_package_has_the_constants_that_were_fitted(committed):
    assert dict(LUTS_PER_BIT) == committed["luts_per_bit"]
    assert pytest.approx(committed["static_ff"], abs=0.006) == [_FF_PER_LUT_AND_CUT, _FF_PER_INPUT_BIT]
    assert pytest.approx(committed["yosys_over_cost"], abs=0.001) == ADDER_GRAPH_LUT_RATIO / SYNTHESIS_LUT_RATIO
    assert pytest.approx(committed["ff_ratio"], abs=0.005) == NETLIST_FF_RATIO


def test_tables_say_what_the_networks_do(committed):
    """Errors and bars anew from the committed rows: nothing in the summary is older than they."""
    tables = {}
    for name in ("adder_graphs", "networks"):
        with (module.HERE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            tables[name] = {row["name"]: row for row in csv.DictReader(file)}
    rows = [{name: _number(text) for name, text in row.items()} for row in tables["adder_graphs"].values()]
    front = [row | module.measure_front(row["name"]) for row in module.read_front()]
    found = module.judge(rows, [tables["networks"][row["name"]] for row in rows], front)
    of = {(row["law"], row["half"], row["regime"]): row for row in committed["errors"]}
    for row in found["errors"]:
        there = of[row["law"], row["half"], row["regime"]]
        numbers = set(row) - {"law", "half", "regime"}
        assert {name: row[name] for name in numbers} == pytest.approx({name: there[name] for name in numbers}, rel=1e-3)
    assert found["graph_intervals"] == pytest.approx(committed["graph_intervals"], rel=1e-6)
    assert all(bar["met"] for bar in module.bars(found))


def _number(text: str) -> float | str | None:
    try:
        return float(text) if text else None
    except ValueError:
        return text

"""`nas-fpga estimate` as a user types it."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest

import nas_fpga
from nas_fpga.cli.estimate import Stage, estimate
from nas_fpga.estimation import RUNGS
from nas_fpga.hardware import MOST_GRAPH_S
from nas_fpga.space import BitWidths
from tests.cli.conftest import run
from tests.export.networks import random_network

REPORTS = Path(__file__).parents[1] / "hardware" / "data" / "reports"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "network_0.npz"
    random_network(1, 6, (8, 8), BitWidths(4, 4), n_outputs=2).save(path)
    return path


def test_a_topology_is_a_table_with_layers_mappings_and_notes(tmp_path):
    ended = run(tmp_path, "estimate", "16-64-32-32-5", "--part", "vu9p", "--plot", "layers.png")
    assert (ended.code, ended.err) == (0, "")
    assert "16-64-32-32-5 w6a6 on xcvu9p-flga2104-2L-e, 5 ns" in ended.out
    for text in ("dense 4", "32 x 5", "one copy", "resource rf 8/8/8/8", "latency", "note: not trained"):
        assert text in ended.out
    assert re.search(r"achievable clock period 4.1 ns \[\d\.\d, \d\.\d\], with it a latency of 49 ns \[", ended.out)
    assert (tmp_path / "layers.png").stat().st_size > 5000


def test_a_checkpoint_in_json_and_beside_another(tmp_path, checkpoint):
    ended = run(tmp_path, "estimate", str(checkpoint), "--json")
    found = json.loads(ended.out)
    figures = found["figures"]
    assert figures["lut"]["original"][1] == "adder-graph"
    latency = figures["latency_cycles"]["value"] * figures["period_ns"]["value"]
    assert figures["achievable_latency_ns"]["value"] == pytest.approx(latency)
    both = run(tmp_path, "estimate", str(checkpoint), "--compare", "6-8-8-2", "--bits", "4", "--json")
    assert both.code == 2  # bits are for the topology only
    both = run(tmp_path, "estimate", "6-8-8-2", "--compare", "6-16-8-2")
    assert both.code == 0
    assert "second / first" in both.out


def test_a_clock_that_is_missed_is_over_the_limit(tmp_path):
    ended = run(tmp_path, "estimate", "64-300-300-300-5", "--clock-ns", "1", "--region", "part")
    assert ended.code == 0
    assert re.search(r"note: over the limit: period \d\.\d+-\d\.\d+ ns, clock 1\n", ended.out)


def test_what_is_left_beside_other_firmware_is_not_loosened(tmp_path):
    beside = ("--part", "u250", "--beside", str(REPORTS / "utilization_2022.2_ultrascale_plus_synth.rpt"))
    ended = run(tmp_path, "estimate", "16-64-5", *beside, "--fill", "2%", "--max-luts", "1000000", "--json")
    found = json.loads(ended.out)
    lut = found["figures"]["copies"] * found["figures"]["lut"]["value"]
    assert found["shares"]["lut"] == pytest.approx(lut / (0.02 * 1_728_000 - 21_874))


def test_reuse_factors_are_listed(tmp_path):
    ended = run(tmp_path, "estimate", "4-6-2", "--reuse-factors")
    lines = [line.split() for line in ended.out.splitlines() if line.strip().startswith("dense 1 ")]
    assert [line[2] for line in lines if len(line) > 2 and line[2].isdigit()][-6:] == ["1", "2", "4", "8", "12", "24"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.keras",), "nowhere.keras"),
        (("16-64-5", "--stage", "synthesis"), "'synthesis'"),
        (("16-64-5", "--stage", "csynth"), "--stage csynth needs a project"),
        (("16-64-5", "--stage", "adder-graph"), "--stage adder-graph needs trained weights"),
        (("16-64-5", "--part", "vu14p"), "vu14p"),
        ((), "Missing argument 'SOURCE'"),
    ],
)
def test_wrong_input_is_one_line(tmp_path, arguments, said):
    ended = run(tmp_path, "estimate", *arguments)
    assert ended.code == 2
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_options_are_those_of_python():
    options = inspect.signature(estimate).parameters
    assert options["graph_seconds"].default == MOST_GRAPH_S
    assert tuple(Stage) == RUNGS
    assert set(inspect.signature(nas_fpga.estimate).parameters) - {"model", "message", "hardware"} < set(options)

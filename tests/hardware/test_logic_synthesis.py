"""Logic synthesis counts what Yosys makes, within its limits, and takes nothing unknown for free."""

from __future__ import annotations

from pathlib import Path

import pytest

from nas_fpga._process import ToolFailedError
from nas_fpga.hardware import adder_graph, build_netlist, find_part
from nas_fpga.hardware._logic_synthesis import CellCounts, count_cells, synthesise, yosys_family
from nas_fpga.space import BitWidths
from tests.export.networks import random_network

REGISTERED_AND = """
module top (input clk, input [7:0] a, input [7:0] b, output reg [7:0] q);
    always @(posedge clk) q <= a & b;
endmodule
"""


def silent(_text: str) -> None:
    return


def test_cells_of_a_design_that_can_be_counted_by_hand(tmp_path: Path):
    source = tmp_path / "top.v"
    source.write_text(REGISTERED_AND)
    counts = synthesise([source], "top", "xcup", cache=tmp_path / "cache", message=silent)
    assert counts == CellCounts(lut=8, ff=8, carry=0, dsp=0, bram18=0)


def test_results_are_kept_by_content(tmp_path: Path):
    source, cache = tmp_path / "top.v", tmp_path / "cache"
    source.write_text(REGISTERED_AND)
    synthesise([source], "top", "xcup", cache=cache, message=silent)
    (kept,) = cache.iterdir()
    kept.write_text('{"lut": 1, "ff": 2, "carry": 3, "dsp": 4, "bram18": 5}')
    assert synthesise([source], "top", "xcup", cache=cache, message=silent) == CellCounts(1, 2, 3, 4, 5)
    kept.write_text('{"lut": 1, "ff"')
    assert synthesise([source], "top", "xcup", cache=cache, message=silent).lut == 8
    source.write_text(REGISTERED_AND.replace("a & b", "a | b"))
    assert synthesise([source], "top", "xcup", cache=cache, message=silent).lut == 8
    assert synthesise([source], "top", "xc7", cache=cache, message=silent).lut == 8
    assert len(list(cache.iterdir())) == 3


def test_a_netlist_takes_about_what_its_adders_cost(tmp_path: Path):
    netlist = build_netlist(adder_graph(random_network(2, 4, (6,), BitWidths(4, 4))), clock_ns=5.0)
    files = netlist.write(tmp_path, "net", "verilog")
    counts = synthesise(files, "net", "xcup", cache=tmp_path / "cache", message=silent)
    assert 0.7 * netlist.luts < counts.lut < 1.5 * netlist.luts
    assert 0.8 * netlist.flip_flops < counts.ff <= netlist.flip_flops
    assert (counts.dsp, counts.bram18) == (0, 0)


@pytest.mark.parametrize("limit", [{"most_memory_gb": 0.05}, {"most_cpu_s": 0}])
def test_limits_end_it_and_nothing_is_kept(tmp_path: Path, limit):
    source, cache = tmp_path / "top.v", tmp_path / "cache"
    source.write_text(REGISTERED_AND)
    with pytest.raises(ToolFailedError, match="logic synthesis of top"):
        synthesise([source], "top", "xcup", cache=cache, message=silent, **limit)
    assert not cache.exists()


def test_wrong_rtl_is_refused_with_what_yosys_says(tmp_path: Path):
    source = tmp_path / "top.v"
    source.write_text("module top (input a; endmodule")
    with pytest.raises(ToolFailedError, match="syntax error"):
        synthesise([source], "top", "xcup", cache=tmp_path / "cache", message=silent)


def test_an_unknown_cell_is_never_free():
    assert count_cells({"LUT2": 3, "LUT6": 4, "SRL16E": 2, "RAMB36E2": 1, "MUXF7": 9, "FDRE": 5, "CARRY8": 2}) == (
        CellCounts(lut=9, ff=5, carry=2, dsp=0, bram18=2)
    )
    with pytest.raises(ToolFailedError, match="7 cells of type URAM288"):
        count_cells({"LUT2": 3, "URAM288": 7})


@pytest.mark.parametrize(
    ("part", "family"), [("xc7a35t", "xc7"), ("mp7", "xc7"), ("ku115", "xcu"), ("vu13p", "xcup"), ("zcu102", "xcup")]
)
def test_families(part, family):
    assert yosys_family(find_part(part)) == family

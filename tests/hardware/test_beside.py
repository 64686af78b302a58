"""Limits beside firmware that is there already."""

from __future__ import annotations

from pathlib import Path

import pytest

from nas_fpga.errors import InputError
from nas_fpga.estimation import estimate
from nas_fpga.hardware import find_part, make_target, room_beside

REPORTS = Path(__file__).parent / "data" / "reports"
USED = REPORTS / "utilization_2022.2_ultrascale_plus_synth.rpt"  # 21,874 LUT, 9,406 FF, 13 tiles of a U250


def test_what_is_left_of_the_part():
    room = room_beside(USED, "80%", part="u250", region="part")
    part = find_part("u250")
    assert room["max_luts"] == pytest.approx(0.8 * part.lut - 21_874)
    assert room["max_ffs"] == pytest.approx(0.8 * part.ff - 9_406)
    assert room["max_brams"] == pytest.approx(0.8 * part.bram18 - 26)


def test_the_spelling_of_the_part_does_not_matter():
    room = room_beside(USED, "80%", part="u250", region="part")
    assert room_beside(USED, "80%", part="XCU250-FIGD2104-2-E", region="part") == room


def test_no_more_than_the_region():
    part = find_part("u250")
    assert room_beside(USED, "80%", part="u250", region="slr")["max_luts"] == part.lut / 4
    assert room_beside(USED, "26%", part="u250", region="slr")["max_luts"] == pytest.approx(0.26 * part.lut - 21_874)


def test_no_more_than_the_limits_that_are_given():
    room = room_beside(USED, "2%", part="u250", max_luts=1_000_000, max_ffs=500, max_dsps=0)
    assert room["max_luts"] == pytest.approx(0.02 * find_part("u250").lut - 21_874)
    assert (room["max_ffs"], room["max_dsps"]) == (500, 0)


def test_firmware_that_fills_the_brams_leaves_none(tmp_path):
    text = USED.read_text()
    full = tmp_path / "full.rpt"
    tiles = next(line for line in text.splitlines() if line.startswith("| Block RAM Tile "))
    full.write_text(text.replace(tiles, tiles.replace(" 13 ", " 2500 ")))
    room = room_beside(full, "80%", part="u250", region="part")
    assert room["max_brams"] == 0
    assert room["max_luts"] == room_beside(USED, "80%", part="u250", region="part")["max_luts"]
    target = make_target(part="u250", **room)
    design = estimate("16-64-32-32-5", strategy="distributed_arithmetic", part="u250", **room)
    assert design.cost.figures.shares(target)["bram18"] == 0
    assert not design.cost.figures.violations(target)


@pytest.mark.parametrize("fill", ["80", "0%", "101%", "-5%", "most", "nan%"])
def test_wrong_shares(fill):
    with pytest.raises(InputError, match=f"--fill {fill} must be a share of the part such as 80%"):
        room_beside(USED, fill, part="u250", region="part")


def test_nothing_left_and_other_parts_and_other_reports():
    with pytest.raises(InputError, match="uses 21,874 of 1,728,000 LUT: nothing is left below 1%"):
        room_beside(USED, "1%", part="u250", region="part")
    with pytest.raises(InputError, match="is of xcu250-figd2104-2L-e, not of xcvu13p-flga2577-2-e"):
        room_beside(USED, "80%", part="vu13p", region="part")
    with pytest.raises(InputError, match="is no report_utilization of Vivado"):
        room_beside(REPORTS / "timing_2023.1_routed.rpt", "80%", part="u250", region="part")

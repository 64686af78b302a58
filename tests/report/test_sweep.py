"""The page of a sweep."""

from __future__ import annotations

from nas_fpga.comparison import Sweep
from nas_fpga.report._sweep import page


def test_repairs_and_dropped_points_stand_on_the_page(swept: Sweep) -> None:
    text = page(swept)
    assert 'repairs</th><td class="wrap">dropped 2 of 242 rows</td>' in text
    assert "budget-8, grid: 1 of 4 points at w6a6; 3 dropped" in text

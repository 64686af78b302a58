"""What a sweep says."""

from __future__ import annotations

from nas_fpga.comparison import Sweep, sweep_cells, sweep_words
from tests.study.conftest import Silent


def test_a_figure_and_its_interval_are_one_cell(swept: Sweep) -> None:
    for cells, result in zip(sweep_cells(swept), swept.results, strict=True):
        row, figures = result.row, result.row.point.mapped.figures
        (low, high), (test_low, test_high) = row.interval, row.test_interval
        assert cells["validation [95 %]"] == f"{row.point.error:.4f} [{low:.4f}, {high:.4f}]"
        assert cells["test [95 %]"] == f"{row.test.error:.4f} [{test_low:.4f}, {test_high:.4f}]"
        of_lut = [figures.copies * value for value in (figures.lut.value, figures.lut.low, figures.lut.high)]
        assert cells["LUT [90 %]"] == "{:,.0f} [{:,.0f}, {:,.0f}]".format(*of_lut)


def test_points_of_the_grid_that_a_budget_drops_are_told(swept: Sweep, reporter: Silent) -> None:
    dropped = "grid: 1 of 4 points at w6a6; 3 dropped as outside 1 to 4 layers, 8 neurons in all, or over the limits"
    assert f"budget-8, {dropped}" in sweep_words(swept)
    assert any(text.startswith("budget-40, grid: 4 of 4 points") for text in sweep_words(swept))
    assert dropped in reporter.messages


def test_repaired_rows_are_told_before_training(swept: Sweep, reporter: Silent) -> None:
    assert reporter.messages[0].startswith("dropped 2 of 242 rows\ntoy: ")

"""The page of a sweep and its figures, without training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas_fpga.comparison import Sweep, SweepDefinition, SweepRun
from nas_fpga.report._sweep import luts_figure, neurons_figure, page, save_png
from tests.comparison.conftest import scripted  # noqa: F401 - a fixture
from tests.study.conftest import Silent, make_setup


@pytest.fixture
def sweep(tmp_path: Path, scripted: dict[str, Any]) -> Sweep:  # noqa: F811
    setup = make_setup()
    definition = SweepDefinition(replace(setup.definition, split_seed=0), (16, 40), n_trials=8)
    return SweepRun(tmp_path / "sweep", definition, setup.dataset).execute(1, Silent())


def test_marks_lie_on_the_dots_of_their_networks(sweep: Sweep) -> None:
    """Both have the figures of adder graphs: laws give other LUTs."""
    dots, marks = luts_figure(sweep).data
    places = set(zip(dots["x"], dots["y"], strict=True))
    assert set(zip(marks["x"], marks["y"], strict=True)) <= places
    assert len(dots["x"]) >= 16


def test_axes_hold_all_that_is_drawn(sweep: Sweep) -> None:
    """Polished networks are smaller than all dots, and may be all that keeps the limits."""
    first, *others = sweep.results
    point = replace(first.row.point, topology=(1,))
    results = (replace(first, row=replace(first.row, point=point)), *others)
    nothing = tuple(replace(study, trials=()) for study in sweep.studies)
    for of in (replace(sweep, results=results), replace(sweep, results=results, studies=nothing)):
        for figure in (neurons_figure(of), luts_figure(of)):
            low, high = figure.layout["xaxis"]["range"]
            drawn = np.log10([x for trace in figure.data for x in trace["x"]])
            assert low < drawn.min()
            assert drawn.max() < high


def test_png_of_polished_networks_alone(sweep: Sweep, tmp_path: Path) -> None:
    nothing = replace(sweep, studies=tuple(replace(study, trials=()) for study in sweep.studies))
    save_png(nothing, tmp_path / "sweep.png")
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")


def test_repairs_and_dropped_points_stand_on_the_page(swept: Sweep) -> None:
    text = page(swept)
    assert 'repairs</th><td class="wrap">dropped 2 of 242 rows</td>' in text
    assert "budget-8, grid: 1 of 4 points at w6a6; 3 dropped" in text

"""The page of a comparison."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from nas_fpga.comparison import Comparison, Retrained, VarianceRatio
from nas_fpga.report._comparison import page
from nas_fpga.report._comparison_figures import colour_range, places_of, progress_figure, quantities
from nas_fpga.report._theme import LEAST_ERROR
from nas_fpga.study import Point
from tests.comparison.conftest import Compare


def notices(text: str) -> list[str]:
    return re.findall(r'<p class="notice">(.*?)</p>', text)


@pytest.mark.parametrize(("ratio", "is_noise"), [(4.9, True), (5.1, False)])
def test_noise_comes_first(card: Comparison, ratio: float, is_noise: bool) -> None:
    measured = VarianceRatio(ratio, 1.0, 8, 3, (0.5, 9.5))
    text = page(replace(card, noise=VarianceRatio(1.3, 1.0, 8, 3, (0.5, 9.5)), log_noise=measured))
    assert notices(text)[0].startswith("This comparison says nothing of the methods") is is_noise
    assert text.index("that between trainings of one") < text.index('<section class="cards"')
    shown = re.search(r"Variance between points over noise</h2><p class=\"value\">(.*?)</p><p>(.*?)</p>", text)
    assert shown is not None
    assert shown.groups() == (
        f"{ratio:.2f} [0.50, 9.50]",
        "of log10 of the error, on points of the grid; a comparison takes 5",
    )


def test_captions_say_what_time_is_not(card: Comparison) -> None:
    assert "the time that a method takes to propose is left out" in page(card)


def test_repairs_stand_among_the_data(compare: Compare) -> None:
    compared = compare("random", repairs=("dropped 2 of 242 rows", "dropped <b>"), n_seeds=1, n_trials=2)
    assert 'repairs</th><td class="wrap">dropped 2 of 242 rows; dropped &lt;b&gt;</td>' in page(compared)


def test_an_error_of_zero_is_on_the_axis(card: Comparison) -> None:
    grid, random = card.methods
    (study,) = grid.studies
    trials = tuple(
        replace(trial, outcome=replace(trial.outcome, points=tuple(map(perfect, trial.outcome.points))))
        for trial in study.trials
    )
    again = Retrained(grid.retrained[0].trial, np.zeros(2))
    of = replace(card, methods=(replace(grid, studies=(replace(study, trials=trials),), retrained=(again,)), random))
    figure = progress_figure(of, quantities(of)[0])
    assert figure.layout["yaxis"]["type"] == "log"
    drawn = [value for trace in figure.data for value in trace["y"]]
    assert min(drawn) == LEAST_ERROR
    assert figure.data[-1]["y"] == [LEAST_ERROR] * 2  # the target


def perfect(point: Point) -> Point:
    return replace(point, merits=replace(point.merits, accuracy=1.0, background_efficiency=0.0))


def test_maps_are_of_the_first_searches_and_share_their_colours(card: Comparison) -> None:
    errors = []
    for method in card.methods:
        study = method.studies[0]
        places = places_of(method)
        of = {trial.number: min(point.error for point in trial.points) for trial in study.trials}
        assert {place.trial: place.error for place in places} == of
        assert [place.widths[2] for place in places] == sorted((p.widths[2] for p in places), reverse=True)
        errors += of.values()
    assert colour_range(card) == pytest.approx((1 - np.quantile(errors, 0.9), 1 - min(errors)))

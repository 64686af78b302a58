"""What a comparison says, and what is said of it before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nas_fpga.comparison import (
    Comparison,
    Retrained,
    VarianceRatio,
    comparison_cells,
    comparison_words,
    reaches_cells,
    verdict,
)
from nas_fpga.study import apply_options
from tests.comparison.conftest import BASE, Compare
from tests.study.conftest import Silent


def with_ratio(card: Comparison, ratio: float) -> Comparison:
    """Return a card whose points differ so much in log10 of the error, and less in the error."""
    return replace(
        card, noise=VarianceRatio(2.0, 1.0, 8, 3, (0.5, 9.5)), log_noise=VarianceRatio(ratio, 1.0, 8, 3, (0.5, 9.5))
    )


class TestVerdict:
    def test_below_five_nothing_is_said_of_the_methods(self, card: Comparison) -> None:
        said = verdict(with_ratio(card, 4.99))
        assert said.startswith("This comparison says nothing of the methods")
        assert "is 4.99 [0.50, 9.50] times that between trainings of one, below the 5 that it takes" in said
        assert "of the error itself 2.00 [0.50, 9.50]; 3 of 8 points trained twice; 95 % intervals" in said

    def test_from_five_on_it_passes(self, card: Comparison) -> None:
        said = verdict(with_ratio(card, 5.0))
        assert said.startswith(
            "The variance between points of the grid is 5.00 [0.50, 9.50] times that between trainings of one"
        )
        assert "nothing" not in said

    def test_is_of_the_logarithm(self, card: Comparison) -> None:
        noisy = replace(
            card, noise=VarianceRatio(9.0, 1.0, 8, 3, (0.5, 9.5)), log_noise=VarianceRatio(1.0, 1.0, 8, 3, (0.5, 9.5))
        )
        assert noisy.is_conclusive is False
        assert "is 1.00 [0.50, 9.50] times" in verdict(noisy)

    def test_unmeasured_noise_is_not_passed_over(self, card: Comparison) -> None:
        unknown = replace(card, noise=None, log_noise=None)
        assert unknown.is_conclusive is None
        assert verdict(unknown).startswith("Whether this comparison says anything is not known")

    def test_a_comparison_without_the_card_has_none(self, compare: Compare) -> None:
        compared = compare("random", "sobol", n_seeds=1, n_trials=2)
        assert compared.is_conclusive is None
        assert verdict(compared) == ""

    @pytest.mark.parametrize(("ratio", "conclusive"), [(4.99, False), (5.0, True)])
    def test_programs_are_told_too(self, card: Comparison, ratio: float, conclusive: bool) -> None:
        summary = with_ratio(card, ratio).summary()
        assert list(summary)[:2] == ["comparison", "conclusive"]
        assert summary["conclusive"] is conclusive
        assert (summary["noise of log10 error"]["ratio"], summary["noise of log10 error"]["least ratio asked"]) == (
            ratio,
            5,
        )


class TestCells:
    def test_a_figure_and_its_quartiles_are_one_cell(self, compare: Compare) -> None:
        compared = compare("random", "sobol", n_seeds=3, n_trials=2)
        for row, method in zip(comparison_cells(compared), compared.methods, strict=True):
            lowest = [trace.best[-1] for trace in method.traces]
            low, median, high = np.quantile(lowest, [0.25, 0.5, 0.75])
            assert row["error [quartiles]"] == f"{median:.4f} [{low:.4f}, {high:.4f}]"
            assert list(row) == ["method", "trials", "error [quartiles]", "hypervolume [quartiles]", "training"]

    def test_who_reaches_whom_is_a_table_of_its_own(self, card: Comparison) -> None:
        grid, random = reaches_cells(card)
        there = np.flatnonzero(card.methods[0].best.median <= card.methods[1].best.median[-1])
        assert grid == {"reaches": "grid", "grid": "", "random": str(there[0] + 1) if len(there) else "-"}
        assert list(random) == ["reaches", "grid", "random"]
        assert random["random"] == ""

    @pytest.mark.parametrize("samplers", [("random", "grid"), ("grid", "random")])
    def test_a_method_without_a_winner_has_the_columns_of_all(self, compare: Compare, samplers: tuple[str]) -> None:
        base = replace(BASE, hardware=replace(BASE.hardware, max_luts=1500.0))  # below what the grid's only point takes
        compared = compare(*samplers, base=base, grid="20x20", n_seeds=1, n_trials=6, retrain=2)
        rows = {row["method"]: row for row in comparison_cells(compared)}
        (random,) = next(method for method in compared.methods if method.name == "random").retrained
        assert rows["random"]["trained again"] == f"{random.mean:.4f}"
        assert (rows["grid"]["trained again"], rows["grid"]["spread"]) == ("-", "-")

    def test_a_winner_whose_trainings_failed_does_not_hide_the_others(self, card: Comparison) -> None:
        grid, random = card.methods
        first, second = random.retrained
        once = Retrained(second.trial, np.array([0.3]))
        (_, row) = comparison_cells(replace(card, methods=(grid, replace(random, retrained=(first, once)))))
        assert row["trained again"] == f"{(first.mean + 0.3) / 2:.4f}"
        assert row["spread"] == f"{first.deviation:.4f}"

    def test_one_method_reaches_nobody(self, compare: Compare) -> None:
        assert reaches_cells(compare("random", n_seeds=1, n_trials=2)) == []


class TestWords:
    def test_time_to_propose_is_said_to_be_left_out(self, card: Comparison) -> None:
        assert any("without the time that a method takes to propose" in text for text in comparison_words(card))

    def test_the_grid_is_told_to_be_whole(self, card: Comparison) -> None:
        assert comparison_words(card)[0].endswith("seeds 0 to 1, the whole grid once")

    def test_dropped_points_of_the_grid_are_told(self, compare: Compare, reporter: Silent) -> None:
        compared = compare("grid", "random", grid="4,30x4,30", n_seeds=1, n_trials=2)  # budget 40
        told = "grid: 3 of 4 points at w6a6; 1 dropped as outside 1 to 4 layers, 40 neurons in all, or over the limits"
        assert told in comparison_words(compared)
        assert told in reporter.messages

    def test_a_target_is_said_to_be_reached_by_single_trainings(self, card: Comparison) -> None:
        (said,) = (text for text in comparison_words(card) if text.startswith("target: "))
        assert said.endswith("a search reaches it with its lowest error, which is of one training and flatters")

    def test_a_target_needs_a_training_that_gave_a_network(self, card: Comparison) -> None:
        grid, random = card.methods
        nothing = replace(grid, retrained=(Retrained(grid.retrained[0].trial, np.array([])),))
        without = replace(card, methods=(nothing, random))
        assert without.target is None
        assert not any(text.startswith("target: ") for text in comparison_words(without))

    def test_networks_that_were_included_are_nobodys_proposals(self, compare: Compare) -> None:
        base = apply_options(BASE, {"search_training": "default", "include": "8-4,6"})  # their settings are fixed
        compared = compare("random", base=base, n_seeds=1, n_trials=4)
        outside = [trial.candidate not in compared.setup.space for trial in compared.methods[0].studies[0].trials]
        assert outside == [True, True, False, False]
        assert comparison_words(compared)[-1] == "0 infeasible and 0 duplicate proposals, 0 failed trials"

    def test_repaired_rows_are_told_before_training(self, compare: Compare, reporter: Silent) -> None:
        compare("random", repairs=("dropped 2 of 242 rows",), n_seeds=1, n_trials=2)
        assert reporter.messages[0].startswith("dropped 2 of 242 rows\ntoy: ")

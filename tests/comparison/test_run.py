"""Comparisons, without training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas_fpga.comparison import ComparisonDefinition, ComparisonRun
from nas_fpga.errors import InputError
from nas_fpga.study import Setup
from nas_fpga.training import GroupBootstrap
from tests.study.conftest import Silent, make_setup, write_events


def test_progress_counts_what_is_trained_again_from_the_start(tmp_path: Path, scripted: dict[str, Any]) -> None:
    setup, reporter = make_setup(), Silent()
    definition = ComparisonDefinition(
        replace(setup.definition, split_seed=0),
        ("grid", "random"),
        n_seeds=2,
        n_trials=3,
        whole_grid=True,
        grid="2,4x3",
        retrain=2,
        noise_points=5,
    )
    comparison = ComparisonRun(tmp_path / "all", definition, setup.dataset).execute(1, reporter)
    winners = {of.trial.candidate for method in comparison.methods for of in method.retrained}
    first, last = reporter.updates[0][0], reporter.updates[-1][0]
    searched = 2 + 2 * 3
    assert first.n_trials == searched + 2 + 2 * 3  # the two points of the grid, and three winners at most, twice
    assert (last.n_ended, last.n_trials) == (searched + 2 + 2 * len(winners),) * 2
    assert last.remaining_s == 0


def test_a_method_that_is_added_leaves_what_was_trained_again(tmp_path: Path, scripted: dict[str, Any]) -> None:
    setup = make_setup()
    base = replace(setup.definition, split_seed=0)
    folder, of = tmp_path / "all", {"n_seeds": 2, "n_trials": 3, "retrain": 2}
    definition = ComparisonDefinition(base, ("random",), **of)  # type: ignore[arg-type]
    (before,) = ComparisonRun(folder, definition, setup.dataset).execute(1, Silent()).methods
    with_another = replace(definition, samplers=("sobol", "random"))
    sobol, random = ComparisonRun(folder, with_another, setup.dataset, resume=True).execute(1, Silent()).methods
    assert [of.trial.candidate for of in random.retrained] == [of.trial.candidate for of in before.retrained]
    assert [of.errors.tolist() for of in random.retrained] == [of.errors.tolist() for of in before.retrained]
    assert len(list(folder.glob("retrained-*"))) == 4
    assert {len(of.errors) for of in sobol.retrained} == {2}


def test_points_of_the_grid_that_are_trained_again_are_its_own(tmp_path: Path, scripted: dict[str, Any]) -> None:
    setup = make_setup()
    base = replace(setup.definition, split_seed=0, include=("3 w6a6", "5 w6a6"))
    definition = ComparisonDefinition(base, ("grid",), n_seeds=1, n_trials=6, grid="4,16x4,16", noise_points=6)
    noise = ComparisonRun(tmp_path / "all", definition, setup.dataset).execute(1, Silent()).noise
    assert noise is not None
    assert (noise.n_candidates, noise.n_repeated) == (4, 4)


def test_progress_of_a_comparison_without_a_grid(tmp_path: Path, scripted: dict[str, Any]) -> None:
    setup, reporter = make_setup(), Silent()
    definition = ComparisonDefinition(replace(setup.definition, split_seed=0), ("random",), n_seeds=2, n_trials=3)
    ComparisonRun(tmp_path / "all", definition, setup.dataset).execute(1, reporter)
    assert {progress.n_trials for progress, _ in reporter.updates} == {6}


def test_groups_too_few_for_intervals_are_refused_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []

    def noted(setup: Setup, subset: str, real: Any = Setup.bootstrap) -> GroupBootstrap:
        seeds.append(setup.definition.seed)
        return real(setup, subset)

    monkeypatch.setattr(Setup, "bootstrap", noted)
    grouped = {"data": str(write_events(tmp_path / "events.csv")), "target": "label", "group": "event", "budget": 20}
    with pytest.raises(InputError, match=r"^20 groups are too few to resample 2 classes; give more groups$"):
        ComparisonRun.prepare(tmp_path / "comparison", grouped)
    assert not (tmp_path / "comparison").exists()
    del grouped["group"]
    seeds.clear()
    ComparisonRun.prepare(tmp_path / "comparison", grouped, samplers=["gp", "random"], seeds=3)
    assert seeds == [0, 0, 1, 1, 2, 2]  # validation and test, whatever the method

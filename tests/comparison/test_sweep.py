"""Sweeps over budgets, without training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas_fpga.comparison import Sweep, SweepDefinition, SweepRun
from nas_fpga.errors import InputError
from tests.cli.conftest import write_table
from tests.study.conftest import Silent, make_setup, write_events


def sweep(folder: Path, reporter: Silent, budgets: tuple[int, ...], *, resume: bool = False, **base: Any) -> Sweep:
    setup = make_setup(**base)
    definition = SweepDefinition(replace(setup.definition, split_seed=0), budgets, n_trials=4)
    return SweepRun(folder, definition, setup.dataset, resume).execute(1, reporter)


@pytest.mark.parametrize(
    ("budgets", "base", "n_trials"),
    [
        ((16, 32, 64), {"sampler": "grid", "grid": "4,8x4,8"}, [4, 0, 0]),
        ((16, 20, 40), {"sampler": "grid", "grid": "4,8x4,20"}, [2, 0, 2]),
        (
            (3, 6),
            {"max_layers": 1, "max_width": 3, "weight_bits": (4, 4), "activation_bits": (4, 4), "sampler": "random"},
            [3, 0],
        ),
    ],
)
def test_a_budget_without_anything_new_has_what_smaller_ones_found(
    tmp_path: Path, scripted: dict[str, Any], budgets: tuple[int, ...], base: dict[str, Any], n_trials: list[int]
) -> None:
    reporter = Silent()
    swept = sweep(tmp_path / "sweep", reporter, budgets, **base)
    assert [len(study.trials) for study in swept.studies] == n_trials
    assert [result.budget for result in swept.results] == list(budgets)
    said = [text for text in reporter.messages if "nothing is left to train" in text]
    assert [text.partition(":")[0] for text in said] == [
        f"budget-{budget}" for budget, n in zip(budgets, n_trials, strict=True) if n == 0
    ]
    again = sweep(tmp_path / "sweep", Silent(), budgets, resume=True, **base)
    assert again.csv() == swept.csv()


def test_patience_is_lost_with_trials_of_its_own_alone(tmp_path: Path, scripted: dict[str, Any]) -> None:
    swept = sweep(tmp_path / "sweep", Silent(), (16, 40), sampler="random", trial_patience=3)
    assert [len(study.trials) for study in swept.studies] == [4, 4]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"sampler": "grid", "grid": "4x8"},
            "^--budgets 2: all 1 points of the grid lie outside the space of 1 to 2 layers, 2 neurons in all; widen it "
            "or give another --grid, or leave 2 out$",
        ),
        ({"sampler": "magic"}, "^--sampler magic is none of"),  # of no budget more than another
    ],
)
def test_what_one_budget_cannot_have_names_it(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    data = {"data": str(write_table(tmp_path / "data.csv")), "target": "label"}
    with pytest.raises(InputError, match=said):
        SweepRun.prepare(tmp_path / "sweep", data | options, budgets=[2, 12])


def test_budgets_weigh_as_long_as_their_networks_train(tmp_path: Path, scripted: dict[str, Any]) -> None:
    setup = make_setup(epochs=5000)
    run = SweepRun(tmp_path, SweepDefinition(setup.definition, (4, 4000)), setup.dataset)
    small, large = map(run._trial_time, run.definition.searches())
    assert large > 2 * small


def test_progress_ends_with_what_the_spaces_have(tmp_path: Path, scripted: dict[str, Any]) -> None:
    reporter = Silent()
    sweep(tmp_path / "sweep", reporter, (16, 20, 40), sampler="grid", grid="4,8x4,20")
    totals = [progress.n_trials for progress, _ in reporter.updates]
    assert totals[0] == 2 + 4 + 4  # the first says at once that its space has but two
    last, _ = reporter.updates[-1]
    assert (last.n_ended, last.n_trials, last.remaining_s) == (4, 4, 0)


def test_groups_too_few_for_intervals_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    grouped = {"data": str(write_events(tmp_path / "events.csv")), "target": "label", "group": "event"}
    with pytest.raises(InputError, match=r"^20 groups are too few to resample 2 classes; give more groups$"):
        SweepRun.prepare(tmp_path / "sweep", grouped, budgets=[2, 12])
    assert not (tmp_path / "sweep").exists()

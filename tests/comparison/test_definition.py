"""The studies that comparisons and sweeps consist of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nas_fpga.comparison import ComparisonDefinition, SweepDefinition
from nas_fpga.comparison._definition import with_card
from nas_fpga.errors import InputError
from nas_fpga.space import TrainingSpace
from nas_fpga.study import SearchDefinition, apply_options, from_json, to_json

BASE = SearchDefinition(seed=5, split_seed=5, polish=0.0)


def test_every_method_searches_with_the_same_seeds_on_the_same_split() -> None:
    definition = ComparisonDefinition(BASE, ("gp", "random"), 2, 7)
    for sampler in definition.samplers:
        studies = definition.searches(sampler)
        assert [study.name for study in studies] == [f"{sampler}-5", f"{sampler}-6"]
        assert [study.definition for study in studies] == [
            replace(BASE, sampler=sampler, seed=5),
            replace(BASE, sampler=sampler, seed=6),
        ]
        assert {study.definition.seed_of_split for study in studies} == {5}
        assert {study.n_trials for study in studies} == {7}


def test_the_whole_grid_is_trained_once() -> None:
    definition = ComparisonDefinition(BASE, ("grid", "random"), 3, 7, whole_grid=True)
    assert [len(definition.searches(sampler)) for sampler in definition.samplers] == [1, 3]


def test_options_of_one_method_go_to_that_method() -> None:
    samplers = ("grid", "bayesian-optimization", "random")
    definition = ComparisonDefinition(BASE, samplers, grid="4x8", acquisition="ei")
    of = {sampler: definition.searches(sampler)[0].definition for sampler in definition.samplers}
    assert [of[sampler].grid for sampler in of] == ["4x8", None, None]
    assert [of[sampler].acquisition for sampler in of] == [None, "ei", None]


def test_what_is_trained_again_has_seeds_of_its_own_and_the_same_split() -> None:
    base = replace(BASE, trial_patience=5)  # which ends searches, not what is trained again
    definition = ComparisonDefinition(base, ("grid", "random"), 3, 7, retrain=2, noise_points=1)
    again = [*definition.retrainings(["8 w6a6", "4-4 w6a6"]), definition.noise(["8 w6a6"])]
    assert [study.n_trials for study in again] == [2, 2, 1]
    assert [study.definition.include for study in again] == [("8 w6a6", "4-4 w6a6")] * 2 + [("8 w6a6",)]
    seeds = [study.definition.seed for name in ("grid", "random") for study in definition.searches(name)]
    assert len({*seeds, *(study.definition.seed for study in again)}) == 3 + 3
    assert {study.definition.seed_of_split for study in again} == {5}
    assert {study.definition.trial_patience for study in again} == {None}
    assert len({study.name for study in again}) == 3
    assert definition.retrainings(["9 w6a6"])[0].name != again[0].name  # other winners are other studies


def test_definitions_are_read_as_they_were_written() -> None:
    comparison = ComparisonDefinition(BASE, ("grid", "gp"), 2, 7, whole_grid=True, retrain=3, noise_points=4)
    assert from_json(ComparisonDefinition, to_json(comparison)) == comparison
    sweep = SweepDefinition(BASE, (5, 50), 9)
    assert from_json(SweepDefinition, to_json(sweep)) == sweep


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"samplers": ("gp", "magic")}, "--samplers magic is none of gp, "),
        ({"samplers": ("gp", "gp")}, "--samplers gp,gp must name each method once"),
        ({"samplers": ()}, "must name each method once"),
        ({"n_seeds": 0}, "--seeds 0 must lie between 1 and 1000"),
        ({"n_seeds": 1001}, "--seeds 1001 must lie"),
        ({"n_trials": 0}, "--trials 0 must be at least 1"),
        ({"retrain": 1}, "--retrain 1 must be 0"),
        ({"noise_points": 3}, "--noise-points 3 are points of the grid; add grid to --samplers"),
        ({"samplers": ("grid",), "noise_points": -1}, "--noise-points -1 must not be negative"),
        ({"acquisition": "ei"}, "--acquisition ei is known to none of gp, random"),
        ({"grid": "4x8"}, "--grid 4x8 is for the grid"),
        (
            {"base": replace(BASE, search_training=TrainingSpace(dropout=(0, 0.2))), "retrain": 2},
            "--retrain 2 trains with fixed settings",
        ),
    ],
)
def test_nonsense_is_refused_by_name(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        ComparisonDefinition(**({"base": BASE, "samplers": ("gp", "random")} | values))


class TestCard:
    def test_is_that_of_the_reference_work(self) -> None:
        definition = apply_options(SearchDefinition(), with_card({}))
        assert (definition.min_layers, definition.max_layers) == (3, 3)
        assert (definition.max_width, definition.budget) == (2000, 6000)
        assert (definition.hardware.region, definition.goal) == ("unlimited", "precision")
        assert definition.weight_bits == definition.activation_bits == (6, 6)

    def test_a_smaller_width_has_a_smaller_budget(self) -> None:
        definition = apply_options(SearchDefinition(), with_card({"max_width": 32, "epochs": 3}))
        assert (definition.max_width, definition.budget, definition.epochs) == (32, 96, 3)

    @pytest.mark.parametrize(
        "name", ["budget", "min_layers", "max_luts", "region", "goal", "grid", "include", "trial_patience"]
    )
    def test_what_it_fixes_cannot_be_given(self, name: str) -> None:
        with pytest.raises(InputError, match=f"--{name.replace('_', '-')} is fixed by --preset grid-vs-bo"):
            with_card({name: 1})


class TestSweep:
    def test_each_budget_comes_after_all_smaller_ones(self) -> None:
        studies = SweepDefinition(BASE, (4, 20, 50), 9).searches()
        assert [study.name for study in studies] == ["budget-4", "budget-20", "budget-50"]
        assert [study.definition.after for study in studies] == [(), ("budget-4",), ("budget-4", "budget-20")]
        assert [study.definition.budget for study in studies] == [4, 20, 50]
        assert [study.definition.max_layers for study in studies] == [4, 15, 15]

    @pytest.mark.parametrize("budgets", [(), (0, 5), (5, 5), (20, 10)])
    def test_budgets_ascend(self, budgets: tuple[int, ...]) -> None:
        with pytest.raises(InputError, match=r"--budgets .* must be numbers of neurons from 1, ascending"):
            SweepDefinition(BASE, budgets)

    def test_budgets_hold_the_least_depth(self) -> None:
        with pytest.raises(InputError, match="--budgets 2,10 begin below --min-layers 3"):
            SweepDefinition(replace(BASE, min_layers=3), (2, 10))

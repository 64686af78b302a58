"""Sweeps over budgets from beginning to end, with tiny settings; also killed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import Ended, run, spawn, write_table
from tests.cli.studies import definition, essence, members, n_ended, rows_of, trials, wait_until

TINY = ["sweep", "--data", "data.csv", "--target", "label", "--budgets", "3,8,20", "--bits", "4:5", "--epochs", "3",
        "--trials", "5", "--generation", "2", "--seed", "1", "--polish", "0"]  # fmt: skip
BUDGETS = (3, 8, 20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweeps")
    write_table(folder / "data.csv")
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> tuple[Path, Ended]:
    ended = run(folder, *TINY, "--workers", "1", "--json", "--name", "whole")
    assert ended.code == 0, ended.err
    return folder / "runs" / "whole", ended


def test_each_budget_knows_the_smaller_ones_and_trains_nothing_twice(whole: tuple[Path, Ended]) -> None:
    seen = set()
    for i, budget in enumerate(BUDGETS):
        study = whole[0] / f"budget-{budget}"
        assert definition(study).budget == budget
        assert definition(study).after == tuple(f"budget-{smaller}" for smaller in BUDGETS[:i])
        candidates = [trial.candidate for trial in trials(study)]
        assert len(candidates) == 5
        assert all(candidate.n_neurons <= budget for candidate in candidates)
        assert not seen & set(candidates)
        seen |= set(candidates)
    assert len(seen) == 15


def test_rows_are_the_most_precise_of_each_budget_and_all_smaller_ones(whole: tuple[Path, Ended]) -> None:
    rows = rows_of((whole[0] / "sweep.csv").read_text())
    summary = json.loads(whole[1].out)
    assert [int(row["budget"]) for row in rows] == list(BUDGETS)
    errors = []
    for row, of, budget in zip(rows, summary["budgets"], BUDGETS, strict=True):
        errors += [point.error for trial in trials(whole[0] / f"budget-{budget}") for point in trial.points]
        assert float(row["validation_background_efficiency"]) == pytest.approx(min(errors), rel=1e-6)
        assert of["validation_background_efficiency"] == min(errors)
        assert int(row["neurons_used"]) == sum(map(int, row["topology"].split("-"))) <= int(row["found_at"]) <= budget
        low, high = (float(row[f"validation_background_efficiency_{end}"]) for end in ("low", "high"))
        assert low <= high
        assert float(row["lut_all_copies"]) == pytest.approx(float(row["lut"]) * int(row["copies"]), rel=1e-6)


def test_page_draws_both_plots(whole: tuple[Path, Ended], browser) -> None:
    assert (whole[0] / "sweep.png").read_bytes().startswith(b"\x89PNG")
    with browser.new_page() as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"file://{whole[0] / 'report.html'}")
        page.wait_for_selector("#plot-sweep-luts .main-svg")
        assert page.locator("#plot-sweep-neurons .scatterlayer .trace").count() == 3  # all, available, used
        assert page.locator("#table tbody tr").count() == 3
        assert errors == []


def test_killed_and_resumed_is_the_same(folder: Path, whole: tuple[Path, Ended]) -> None:
    process = spawn(folder, *TINY, "--workers", "2", "--name", "killed")
    killed = folder / "runs" / "killed"
    wait_until(lambda: n_ended(killed / "budget-8") >= 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    wait_until(lambda: not members(process.pid))
    assert not (killed / "budget-20").exists()
    resumed = run(folder, "sweep", "--name", "killed", "--resume", "--workers", "1")
    assert resumed.code == 0, resumed.err
    for budget in BUDGETS:
        assert essence(killed / f"budget-{budget}") == essence(whole[0] / f"budget-{budget}")
    assert (killed / "sweep.csv").read_bytes() == (whole[0] / "sweep.csv").read_bytes()
    assert "neurons used" in resumed.out


def test_one_budget_of_it_goes_on_as_a_search(folder: Path, whole: tuple[Path, Ended], monkeypatch, nas_fpga) -> None:
    monkeypatch.chdir(folder)
    ended = nas_fpga(["search", "--resume", "--runs", "runs/whole", "--study", "budget-20", "--json"])
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["trials"] == {"complete": 5, "failed": 0}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--budgets", "10,x"], "--budgets 10,x must be numbers of neurons from 1, ascending"),
        (["--budgets", "10,5"], "--budgets 10,5 must be numbers"),
        (["--budgets", "0"], "--budgets 0 must be numbers"),
        (["--budgets", "2,9", "--min-layers", "3"], "--budgets 2,9 begin below --min-layers 3"),
        (["--budget", "5"], "--budget"),
        (["--trials", "0"], "--trials 0 must be at least 1"),
        (["--sampler", "magic"], "--sampler magic is none of"),
        (["--name", ".."], "--name '..' must be a plain name"),
        (["--name", "none", "--resume"], "there is no sweep 'none' in runs"),
        (["--name", "whole"], "sweep 'whole' exists in runs"),
        (["--name", "whole", "--resume", "--trials", "6"], "was started with trials 5 (now 6)"),
        (["--name", "whole", "--resume", "--budgets", "3,8"], "to which only larger ones can be added"),
    ],
)
def test_nonsense_is_one_line(folder: Path, whole: tuple[Path, Ended], monkeypatch, nas_fpga, options, said) -> None:
    monkeypatch.chdir(folder)
    ended = nas_fpga(["sweep", "--data", "data.csv", "--target", "label", *options])
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    assert said in ended.err

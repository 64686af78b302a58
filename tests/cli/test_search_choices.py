"""Searches of other spaces, samplers, backends and data than the usual, from beginning to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import run, write_table
from tests.cli.studies import definition, rows_of, trials


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("searches")
    write_table(folder / "data.csv")
    write_table(folder / "three.csv", n=450, classes=3)
    write_table(folder / "weighted.csv", weighted=True)
    return folder


def test_exhausted_space_says_so_and_ends(folder: Path) -> None:
    arguments = ["search", "--data", "data.csv", "--target", "label", "--budget", "2", "--bits", "4", "--epochs", "2"]
    ended = run(folder, *arguments, "--trials", "9", "--study", "small")
    assert ended.code == 0, ended.err
    assert "space is exhausted: no more than 3 candidates" in ended.err
    assert sorted(str(trial.candidate) for trial in trials(folder / "runs" / "small")) == [
        "1 w4a4",
        "1-1 w4a4",
        "2 w4a4",
    ]
    again = run(folder, "search", "--resume", "--study", "small")
    assert again.code == 0, again.err
    assert len(trials(folder / "runs" / "small")) == 3


def test_included_first_and_weights_and_groups_enter(folder: Path) -> None:
    arguments = ["search", "--data", "weighted.csv", "--target", "label", "--weight", "w", "--group", "event"]
    arguments += ["--include", "7-3,5 w4a7", "--sampler", "random", "--budget", "30", "--epochs", "2", "--trials", "3"]
    ended = run(folder, *arguments, "--study", "mine", KERAS_BACKEND="tensorflow")
    assert ended.code == 0, ended.err
    assert "3 features" in ended.err  # weight and group are none
    assert definition(folder / "runs" / "mine").backend == "tensorflow"
    first, second, third = trials(folder / "runs" / "mine")
    assert [str(first.candidate), str(second.candidate)] == ["7-3 w6a6", "5 w4a7"]
    assert [t.proposed_by for t in (first, second, third)] == ["included", "included", "sampler"]
    plain = ["--include", "7-3,5 w4a7", "--sampler", "random", "--budget", "30", "--epochs", "2", "--trials", "3"]
    # without weights the same rows give another figure
    cut = folder / "unweighted.csv"
    lines = (folder / "weighted.csv").read_text().splitlines()
    cut.write_text("\n".join(line.rpartition(",")[0] for line in lines) + "\n")
    other = run(
        folder,
        *["search", "--data", "unweighted.csv", "--target", "label", "--group", "event", *plain],
        *["--study", "plain", "--backend", "tensorflow"],
        KERAS_BACKEND="jax",
    )
    assert other.code == 0, other.err
    assert definition(folder / "runs" / "plain").backend == "tensorflow"  # the option beats the environment
    curves = [[t.outcome.curve for t in trials(folder / "runs" / name)] for name in ("mine", "plain")]
    assert curves[0] != curves[1]


def test_several_classes_from_a_grid(folder: Path) -> None:
    arguments = ["search", "--data", "three.csv", "--target", "label", "--sampler", "grid", "--grid", "4,16x8,99"]
    ended = run(
        folder, *arguments, "--budget", "30", "--bits", "6", "--epochs", "3", "--trials", "8", "--study", "three"
    )
    assert ended.code == 0, ended.err
    assert "2 of 4 points" in ended.err
    assert "2 dropped" in ended.err
    rows = rows_of((folder / "runs" / "three" / "front.csv").read_text())
    assert {trial.candidate.topology for trial in trials(folder / "runs" / "three")} == {(4, 8), (16, 8)}
    for row in rows:
        assert 0 <= float(row["validation_error_rate"]) < 2 / 3
        assert float(row["test_accuracy"]) == pytest.approx(1 - float(row["test_error_rate"]))
        assert all(0.5 < float(row[f"test_auc {name}"]) <= 1 for name in "012")
    assert "error rate" in ended.out


def test_bayesian_optimization_proposes_after_random_starts(folder: Path) -> None:
    arguments = ["search", "--data", "data.csv", "--target", "label", "--sampler", "bayesian-optimization"]
    arguments += ["--acquisition", "ei", "--budget", "10", "--max-layers", "2", "--bits", "3:6"]
    ended = run(folder, *arguments, "--epochs", "1", "--trials", "21", "--study", "classic")
    assert ended.code == 0, ended.err
    proposed = [trial.proposed_by for trial in trials(folder / "runs" / "classic")]
    assert proposed == ["random start"] * 20 + ["sampler"]

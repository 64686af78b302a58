"""Helpers of the cost of a suggestion."""

import json

import numpy as np
import pytest

from benchmarks.search import suggestion_cost
from benchmarks.search.suggestion_cost import METHODS, SPACE, error_of, flat, history, measure_apart, summary
from nas_fpga.space import BitWidths, Candidate
from nas_fpga.testing import observe


def test_a_candidate_is_eighteen_numbers_of_which_some_are_idle():
    row = flat(Candidate((40, 30), BitWidths(4, 7)))
    assert row == [2, 40, 30, *[1] * 13, 4, 7]
    assert error_of(row[1:3], *row[-2:])[0] == observe(Candidate((40, 30), BitWidths(4, 7))).log10_error
    assert error_of([1500, 600], 4, 7)[1] == 100


def test_histories_are_feasible_and_begin_alike():
    known = [observation.candidate for observation in history(40)]
    assert len(set(known)) == 40
    assert all(candidate in SPACE for candidate in known)
    assert [observation.candidate for observation in history(10)] == known[:10]


@pytest.mark.parametrize("name", ["gp", "optuna-tpe", "optuna-tpe-grouped"])
def test_methods_are_asked_and_told(name):
    asked = METHODS[name](history(12))
    assert (asked(), asked()) == (1, 1)


def test_a_generation_counts_as_its_suggestions():
    assert METHODS["gp, generations"](history(12))() == 4


def test_summaries_count_the_first_ask_apart():
    found = summary([(1.6, 4), (0.4, 4), (0.8, 4), (0.3, 1)], 60)
    assert found == {"median_s": 0.2, "mean_s": 0.16667, "first_s": 1.6, "suggestions": 9}
    assert summary([(0.4, 1)], 60) == {"median_s": 0.4, "mean_s": 0.4, "first_s": 0.4, "suggestions": 0}
    assert summary([], 60) == {"median_s": 60, "mean_s": 60, "first_s": 60, "suggestions": 0}


def test_asks_are_counted_after_the_first():
    found = measure_apart("gp, generations", 20, n_asks=6, limit_s=60)
    assert [n for _, n in found] == [4, 4, 4]
    assert all(0 < spent < 30 for spent, _ in found)


def test_an_entry_over_the_limit_is_cut_off():
    times = measure_apart("gp", 100, n_asks=100_000, limit_s=3)
    assert 0 < len(times) < 100_000
    assert sum(spent for spent, _ in times) < 5  # whole seconds are what the system counts


def test_an_entry_that_fails_says_why(monkeypatch):
    monkeypatch.setattr(suggestion_cost.sys, "executable", "/bin/false")
    with pytest.raises(SystemExit, match="gp after 100 trials failed"):
        measure_apart("gp", 100, 1, 1)


def test_files(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(suggestion_cost, "measure_apart", lambda name, n, asks, limit: [(n / 1000, 1)] * (asks + 1))
    monkeypatch.setattr(suggestion_cost, "PACKAGES", ("numpy",))
    suggestion_cost.run(["gp", "optuna-tpe"], [100, 300], 8, 60, tmp_path)
    assert capsys.readouterr().out.splitlines()[0].split() == ["gp", "100", "0.1", "0.1", "0.1", "10"]
    lines = (tmp_path / "suggestion_cost.csv").read_text().splitlines()
    assert lines[0] == "method,trials,median_s,mean_s,first_s,suggestions"
    assert lines[-1] == "optuna-tpe,300,0.3,0.3,0.3,30"
    facts = json.loads((tmp_path / "suggestion_cost.json").read_text())
    assert facts["cpu_s_and_suggestions"]["gp"]["300"] == [[0.3, 1]] * 31
    assert facts["versions"]["numpy"] == np.__version__
    assert (tmp_path / "suggestion_cost.png").stat().st_size > 1000

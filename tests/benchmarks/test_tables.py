"""Searches of tables: what is searched, what is counted, and what is made of it."""

import itertools
import json
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.search import _tables, tables
from benchmarks.search._comparison import compare, medians, regret_curves
from benchmarks.search._methods import VARIANTS, Ours, make
from benchmarks.search._peers import Optuna, optuna_tpe, optuna_tpe_conditional
from benchmarks.search._runs import Run, pack, read
from benchmarks.search._statistics import holm, incumbents, mean_ranks, signed_rank
from benchmarks.search._tables import Problem, Table
from benchmarks.search.tables import Plan, search
from nas_fpga.testing import Column

COLUMNS = (
    Column("units_1", (16, 32, 64), "log"),
    Column("activation", ("relu", "tanh"), "categorical"),
    Column("units_2", (16, 32), "log"),
)
SIZES = np.array([a * b for a, _, b in itertools.product((16, 32, 64), (0, 1), (16, 32))])
ERRORS = np.random.default_rng(3).normal(-2, 0.5, (12, 4))


def tiny(log10_errors=ERRORS):
    return Table("tiny", COLUMNS, log10_errors, SIZES)


class TestProblem:
    def test_half_of_the_rows_are_within_the_median(self):
        problem = Problem(tiny(), True, 0)
        assert problem.budget == 768  # 256 512 512 1024 1024 2048, each twice
        np.testing.assert_array_equal(problem.within, SIZES <= 512)
        assert Problem(tiny(), False, 0).within.all()

    def test_rows_are_numbered_as_the_table_is(self):
        table = tiny()
        rows = table.rows(np.arange(12))
        assert rows[5].tolist() == [1, 0, 1]
        np.testing.assert_array_equal(table.numbers(rows), np.arange(12))

    def test_shown_and_unseen_trainings_are_all_there_are(self):
        problem = Problem(tiny(), True, 1)
        assert all(shown in of for shown, of in zip(problem.shown, ERRORS, strict=True))
        np.testing.assert_allclose(problem.shown + 3 * problem.unseen, ERRORS.sum(axis=1))
        np.testing.assert_allclose(problem.truth, ERRORS.mean(axis=1))
        assert not np.array_equal(problem.shown, Problem(tiny(), True, 2).shown)

    def test_regret_is_0_at_the_best_within_the_budget_and_1_at_the_median(self):
        figures = np.array([-3.0, -2, -1, 0, 1, 2, -9, -9, -9, -9, -9, -9])
        problem = Problem(tiny(), True, 0)
        within = np.flatnonzero(problem.within)
        assert within.tolist() == [0, 1, 2, 3, 4, 6]
        figures[6] = -4
        # Within: -4 -3 -2 -1 0 1, median -1.5.
        np.testing.assert_allclose(problem.regret(np.array([6, 3, 4]), figures), [0, 4 / 2.5, 5 / 2.5])

    def test_pairs_of_widths_that_fit(self):
        problem = Problem(tiny(), True, 0)
        assert problem.sized == (0, 2)
        assert problem.within_pairs.tolist() == [[True, True], [True, False], [False, False]]

    @pytest.mark.parametrize("halved", [True, False])
    def test_the_space_is_what_is_within_and_knows_its_share(self, halved):
        problem = Problem(tiny(), halved, 0)
        space = problem.space()
        rows = problem.table.rows(np.arange(12))
        np.testing.assert_array_equal(space.feasible(rows), problem.within)
        np.testing.assert_array_equal(space.prior_log10_share(rows) < 0, problem.within)
        assert problem.log10_share((0, 1, 1)) == pytest.approx(np.log10(512 / (problem.budget + 1)))


class TestTables:
    def test_figures_stand_where_their_levels_are(self):
        class Bench:
            _dataset = {  # noqa: RUF012
                f"{i}{j}{k}": {"val_loss": [i + 0.1 * j + 0.01 * k, 0.0]}
                for i, j, k in itertools.product(range(3), range(2), range(2))
            }

        figures = _tables._figures(Bench(), COLUMNS, "val_loss")
        assert figures.shape == (12, 2)
        assert figures[:6, 0].tolist() == pytest.approx([0, 0.01, 0.1, 0.11, 1, 1.01])

    def test_weights_of_a_network_of_depth_and_width(self):
        columns = (Column("depth", (1, 3)), Column("alpha", (1e-3, 1.0), "log"), Column("width", (2, 10), "log"))
        sizes = _tables._mlp_sizes(columns, n_features=5, n_classes=4)
        one = 5 * 10 + 10 + 10 * 4 + 4
        assert sizes.tolist() == [2 * 5 + 2 + 2 * 4 + 4, one] * 2 + [24 + 2 * 6, one + 2 * 110] * 2

    def test_no_error_at_all_is_half_an_error(self):
        assert _tables.smoothed(np.array([0.0, 1.0]), 1000) == pytest.approx(np.log10([0.5 / 298, 297.5 / 298]))


class Scripted:
    """Proposes rows by their numbers and takes note of the answers."""

    def __init__(self, table, numbers):
        self.table, self.numbers, self.answers = table, iter(numbers), []

    def propose(self):
        return tuple(self.table.rows(np.array([next(self.numbers)]))[0].tolist())

    def observe(self, levels, log10_error):
        self.answers.append((int(self.table.numbers([levels])[0]), log10_error))

    def refuse(self, levels):
        self.answers.append((int(self.table.numbers([levels])[0]), None))


class TestSearch:
    def test_what_is_wasted_costs_no_training(self):
        problem = Problem(tiny(), True, 0)
        method = Scripted(problem.table, [3, 11, 3, 0, 5, 1, 2])
        done = search(problem, method, 3)
        assert (done["rows"], done["refused"], done["repeated"]) == ([3, 0, 1], 2, 1)
        assert len(done["cpu_s"]) == 3
        expected = [(3, problem.shown[3]), (11, None), (3, problem.shown[3]), (0, problem.shown[0]), (5, None)]
        assert method.answers == [*expected, (1, problem.shown[1])]

    def test_a_method_that_only_repeats_comes_to_an_end(self):
        problem = Problem(tiny(), True, 0)
        done = search(problem, Scripted(problem.table, itertools.repeat(3)), 2)
        assert (done["rows"], done["repeated"]) == ([3], 39)

    @pytest.mark.parametrize("name", ["random", "local-search", "gp", *VARIANTS])
    def test_ours_reach_every_row_and_waste_nothing(self, name):
        problem = Problem(tiny(), True, 0)
        done = search(problem, make(name, problem, 0), 6)
        assert sorted(done["rows"]) == np.flatnonzero(problem.within).tolist()
        assert (done["refused"], done["repeated"]) == (0, 0)

    def test_ours_are_after_precision(self):
        method = make("tpe", Problem(tiny(), True, 0), 7)
        assert isinstance(method, Ours)
        assert (method.sampler.goal, method.sampler.seed) == ("precision", 7)

    def test_ours_may_not_be_refused(self):
        method = make("random", Problem(tiny(), True, 0), 0)
        with pytest.raises(AssertionError, match="never proposes"):
            method.refuse((2, 0, 1))


class TestOptuna:
    @pytest.mark.parametrize("seed", range(3))
    def test_a_conditional_range_is_never_over_the_budget(self, seed):
        problem = Problem(tiny(), True, 0)
        done = search(problem, optuna_tpe_conditional(problem, seed), 6)
        assert done["refused"] == 0
        assert sorted(done["rows"]) == np.flatnonzero(problem.within).tolist()

    def test_what_is_refused_is_pruned(self):
        problem = Problem(tiny(), True, 0)
        method = optuna_tpe(problem, 0)
        done = search(problem, method, 5)
        states = [trial.state.name for trial in method.study.trials]
        assert states.count("PRUNED") == done["refused"] > 0
        assert states.count("COMPLETE") == 5 + done["repeated"]

    def test_what_is_refused_violates_a_constraint(self):
        import optuna

        problem = Problem(tiny(), True, 0)
        method = Optuna(problem, optuna.samplers.NSGAIISampler(seed=0, population_size=4), "constrain")
        done = search(problem, method, 5)
        violations = [trial.constraints["weights"] > 0 for trial in method.study.trials]
        assert sum(violations) == done["refused"] > 0
        assert len(method.study.trials) == 5 + done["refused"] + done["repeated"]


class InPlace:
    """A pool of processes that is none."""

    def __init__(self, *arguments, **keywords):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *of):
        pass

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future


class TestRun:
    @pytest.fixture
    def log(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tables, "ProcessPoolExecutor", InPlace)
        monkeypatch.setattr(tables, "cached_load", lambda name: tiny(ERRORS - 0.1 * len(name)))
        return tmp_path / "of" / "runs.jsonl"

    def test_what_is_done_is_skipped_and_more_trainings_are_made(self, log, capsys):
        plan = Plan(["random"], ["a", "bb"], [True], n_seeds=2, n_trainings=3)
        tables.run(plan, 1, log, None)
        assert len(capsys.readouterr().out.splitlines()) == 4
        tables.run(replace(plan, n_seeds=3), 1, log, None)
        assert sorted(line.split()[3:8] for line in capsys.readouterr().out.splitlines()) == [
            ["random", name, "halved", "seed", "2:"] for name in ("a", "bb")
        ]
        tables.run(replace(plan, n_trainings=4), 1, log, None)
        assert len(capsys.readouterr().out.splitlines()) == 4
        assert sorted(len(run.rows) for run in read(log).values()) == [3, 3, 4, 4, 4, 4]
        tables.run(plan, 1, log, None)
        assert capsys.readouterr().out == ""

    def test_a_run_is_judged_by_its_problem(self, log):
        tables.run(Plan(["random"], ["a"], [True], n_seeds=1, n_trainings=4), 1, log, None)
        (line,) = map(json.loads, log.read_text().splitlines())
        problem = Problem(tiny(ERRORS - 0.1), True, 0)
        assert line["shown"] == pytest.approx(problem.shown[line["rows"]], abs=1e-5)
        assert line["regret"] == pytest.approx(problem.regret(line["rows"], problem.truth), abs=1e-5)
        assert line["regret_unseen"] == pytest.approx(problem.regret(line["rows"], problem.unseen), abs=1e-5)

    def test_packed_runs_are_as_they_were(self, log, tmp_path):
        tables.run(Plan(["random"], ["a"], n_seeds=2, n_trainings=4), 1, log, None)
        made, packed = read(log), tmp_path / "runs.parquet"
        pack(list(made.values()), packed)
        again = read(tmp_path / "none.jsonl", packed)
        assert again.keys() == made.keys()
        for key, run in made.items():
            assert again[key] == run

    def test_budgeted_methods_run_only_where_there_is_a_budget(self, monkeypatch):
        monkeypatch.setattr(tables, "BUDGETED", ("fitting",))
        runs = list(Plan(["any", "fitting"], ["a", "b"], n_seeds=2).runs())
        assert [of[:4] for of in runs if of[0] == "fitting"] == [
            ("fitting", table, True, seed) for seed in (0, 1) for table in ("a", "b")
        ]
        assert len({of[:4] for of in runs if of[0] == "any"}) == 8
        assert {of[4] for of in runs} == {100}


def make_run(method, table, seed, regret, n=100, **further):
    """Return a run whose regret is the same after each training, and another by what was not shown."""
    lists = {"rows": list(range(n)), "shown": [0.0] * n, "cpu_s": [0.25] * n}
    return Run(
        method, table, True, seed, **lists, regret=[regret] * n, regret_unseen=[regret + 1] * n,
        **{"refused": 0, "repeated": 0} | further,
    )  # fmt: skip


class TestAnalysis:
    def test_curves_follow_what_was_shown_and_stay_where_they_ended(self):
        run = replace(make_run("x", "a", 0, 0.0, 4), shown=[0.0, -2, -1, -3], regret=[0.9, 0.5, 0.1, 0.7])
        curve = regret_curves(run, "all")
        assert curve.shape == (100,)
        assert curve[:5].tolist() == [0.9, 0.5, 0.5, 0.7, 0.7]  # the third had less regret and was not known to
        assert curve[-1] == 0.7

    def test_medians_are_over_seeds(self):
        runs = [make_run("x", "a", seed, value) for seed, value in enumerate([0.1, 0.2, 0.9])]
        assert medians(runs, "all")["x", "a"][10] == pytest.approx(0.2)
        assert medians(runs, "unseen")["x", "a"][10] == pytest.approx(1.2)

    def test_lines_of_methods(self):
        names = [f"t{i}" for i in range(8)]
        runs = [make_run("gp", name, 0, 0.1) for name in names]
        runs += [make_run("tpe", name, 0, 0.2 + 0.01 * i, refused=30) for i, name in enumerate(names)]
        runs += [make_run("random", name, 0, 0.3 if i else 0.05, repeated=10) for i, name in enumerate(names)]
        runs += [make_run("slow", name, 0, 0.0, 50) for name in names[:4]]
        runs += [make_run("partly", name, 0, 0.0) for name in names[:4]]
        lines = {line["method"]: line for line in compare(runs, names, "all")}
        assert lines.keys() == {"gp", "tpe", "random", "slow"}
        assert lines["gp"]["rank_25"] == pytest.approx((7 * 1 + 2) / 8, abs=1e-3)  # as if nothing short were there
        assert lines["slow"]["rank_50"] == 1
        assert "rank_100" not in lines["slow"]
        assert not any(name.startswith("p_") for name in (*lines["gp"], *lines["slow"]))
        assert lines["tpe"]["p_50"] == pytest.approx(2 * 2 / 2**8, abs=1e-4)  # all of one sign, the lesser of two
        assert lines["tpe"]["regret_50"] == pytest.approx(0.235)
        assert (lines["tpe"]["refused_%"], lines["random"]["repeated_%"]) == (30, 10)
        assert lines["slow"]["cpu_s"] == 0.25

    def test_files(self, tmp_path, monkeypatch, capsys):
        runs = [make_run("gp", name, 0, 0.2) for name in tables.SETS["dev"]]
        runs.append(make_run("slow", tables.SETS["dev"][0], 0, 0.4, 50))
        log = tmp_path / "runs.jsonl"
        log.write_text("".join(json.dumps(tables.asdict(run)) + "\n" for run in runs))
        monkeypatch.setattr(tables, "PACKAGES", ("numpy",))
        monkeypatch.setattr(tables, "cached_load", lambda name: tiny(np.repeat(ERRORS[:, :1], 4, axis=1)))
        tables.analyse(log, tmp_path)
        assert "method gp" in capsys.readouterr().out.splitlines()[0]
        header, *lines = (tmp_path / "tables_regret.csv").read_text().splitlines()
        assert header == "set,budget,judged_by,method,table,25,50,100"
        assert "dev,half,all,gp,naval_propulsion,0.2,0.2,0.2" in lines
        assert "dev,half,all,slow,naval_propulsion,0.4,0.4," in lines  # of 50 trainings; nothing is said of 100
        assert len(lines) == 2 * 5
        assert (tmp_path / "tables.png").stat().st_size > 1000
        facts = json.loads((tmp_path / "tables.json").read_text())
        assert facts["runs"] == 5
        found = facts["regret of whoever is shown one training of every row"]
        assert found == {name: {"half": 0, "whole": 0} for name in tables.SETS["dev"]}  # all trainings of a row alike

    @pytest.mark.parametrize("halved", [True, False])
    def test_who_is_shown_every_row_is_flattered_by_the_luckiest(self, halved):
        lucky = np.repeat(np.linspace(-1, 0, 12)[:, None], 4, axis=1)
        lucky[4] = [-9, 9, 9, 9]  # of mean 4.5: by far the worst row, and the best in one training of four
        table, regrets = tiny(lucky), []
        for seed in range(9):
            problem = Problem(table, halved, seed)
            shown_lucky = problem.shown[4] == -9
            regrets.append(float(problem.regret(np.array([4 if shown_lucky else 0]), problem.truth)[0]))
        assert 0 < np.count_nonzero(regrets) < 9
        assert tables.regret_of_all_shown(table, halved, 9) == np.median(regrets)
        assert tables.regret_of_all_shown(table, halved, 1) == regrets[0]


class TestStatistics:
    def test_incumbents_are_the_first_of_equals(self):
        assert incumbents([3.0, 3.0, 1.0, 2.0, 1.0, 0.5]).tolist() == [0, 0, 2, 2, 2, 5]

    def test_equals_share_their_rank(self):
        assert mean_ranks(np.array([[0.1, 0.2, 0.2], [0.3, 0.1, 0.2]])).tolist() == [2, 1.75, 2.25]

    def test_signed_rank_of_six_of_one_sign(self):
        ours = np.arange(6.0)
        assert signed_rank(ours, ours + np.arange(1, 7)) == pytest.approx(2 / 2**6)
        assert signed_rank(ours, ours) == 1

    def test_holm_by_hand(self):
        adjusted = holm({"a": 0.04, "b": 0.01, "c": 0.03, "d": 0.5})
        assert adjusted == pytest.approx({"b": 0.04, "c": 0.09, "a": 0.09, "d": 0.5})
        assert list(adjusted) == ["b", "c", "a", "d"]
        assert holm({"a": 0.8, "b": 0.7}) == {"b": 1, "a": 1}


def test_wrong_arguments_end_in_one_line(monkeypatch, capsys):
    for arguments, said in (
        (["run", "--tables", "segment"], "table segment is not one of naval_propulsion"),  # it is a final one
        (["run", "--methods", "nothing"], "method nothing is not one of gp"),
    ):
        monkeypatch.setattr("sys.argv", ["tables", *arguments])
        with pytest.raises(SystemExit) as exit_:
            tables.main()
        assert exit_.value.code == 2
        assert said in capsys.readouterr().err

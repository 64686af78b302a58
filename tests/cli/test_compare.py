"""Comparisons from beginning to end, with tiny settings; also interrupted."""

from __future__ import annotations

import csv
import json
import re
import signal
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.comparison import ComparisonRun
from tests.cli.conftest import Ended, run, spawn, write_table
from tests.cli.studies import definition, essence, n_ended, rows_of, trials, wait_until

TINY = ["compare", "--data", "data.csv", "--target", "label", "--budget", "30", "--epochs", "3", "--seed", "1",
        "--samplers", "random,grid", "--grid", "2,5x3,6,9", "--bits", "4:6", "--seeds", "2", "--trials", "5",
        "--generation", "2"]  # fmt: skip
STUDIES = ["random-1", "random-2", "grid-1", "grid-2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("comparisons")
    write_table(folder / "data.csv")
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> tuple[Path, Ended]:
    ended = run(folder, *TINY, "--workers", "1", "--json", "--name", "whole")
    assert ended.code == 0, ended.err
    return folder / "runs" / "whole", ended


def test_every_search_is_a_study_with_the_same_split(whole: tuple[Path, Ended]) -> None:
    definitions = {name: definition(whole[0] / name) for name in STUDIES}
    assert [d.sampler for d in definitions.values()] == ["random", "random", "grid", "grid"]
    assert [d.seed for d in definitions.values()] == [1, 2, 1, 2]
    assert {d.seed_of_split for d in definitions.values()} == {1}
    assert {d.polish for d in definitions.values()} == {0.0}
    assert {len(trials(whole[0] / name)) for name in STUDIES} == {5}
    seeds = [[trial.seed for trial in trials(whole[0] / name)] for name in STUDIES]
    assert seeds[0] == seeds[2] != seeds[1]


def test_summary_and_csv_say_what_the_studies_hold(whole: tuple[Path, Ended]) -> None:
    folder, ended = whole
    summary = json.loads(ended.out)
    rows = rows_of((folder / "comparison.csv").read_text())
    assert len(rows) == 20
    for method in ("random", "grid"):
        of = summary["methods"][method]
        assert (of["searches"], of["trials"], of["failed"], of["duplicates"], of["infeasible"]) == (2, 5, 0, 0, 0)
        lowest = []
        for seed in (1, 2):
            mine = [row for row in rows if row["method"] == method and row["seed"] == str(seed)]
            errors = [min(point.error for point in trial.points) for trial in trials(folder / f"{method}-{seed}")]
            np.testing.assert_allclose([float(row["error"]) for row in mine], errors, rtol=1e-6)
            np.testing.assert_allclose(
                [float(row["best_error"]) for row in mine], np.minimum.accumulate(errors), rtol=1e-6
            )
            seconds = [float(row["training_s"]) for row in mine]
            assert seconds == sorted(seconds)
            lowest.append(min(errors))
        assert of["error"]["median"] == pytest.approx(np.median(lowest))
        assert of["error"]["high"] == pytest.approx(np.quantile(lowest, 0.75))
    assert set(summary["methods"]["random"]["reaches"]) == {"grid"}


def test_page_and_picture_lie_beside(whole: tuple[Path, Ended]) -> None:
    page = (whole[0] / "report.html").read_text()
    assert "random, grid on the same work" in page
    assert "0 infeasible and 0 duplicate proposals, 0 failed trials" in page
    assert (whole[0] / "comparison.png").read_bytes().startswith(b"\x89PNG")
    assert not (whole[0] / "maps.png").exists()


def test_page_draws_without_errors(whole: tuple[Path, Ended], browser) -> None:
    with browser.new_page() as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"file://{whole[0] / 'report.html'}")
        page.wait_for_selector("#plot-progress-hypervolume .main-svg")
        page.click("button[data-figure='progress-error'][data-view='1']")
        page.wait_for_function(
            "document.querySelector('#plot-progress-error .xtitle').textContent.startsWith('seconds of training')"
        )
        assert page.locator("#plot-progress-error .scatterlayer .trace").count() == 6  # two edges and a line each
        assert errors == []


def n_ended_of_all(folder: Path) -> int:
    return sum(n_ended(study) for study in folder.glob("*-*"))


def test_interrupted_and_resumed_is_the_same(folder: Path, whole: tuple[Path, Ended]) -> None:
    process = spawn(folder, *TINY, "--workers", "1", "--name", "stopped")
    stopped = folder / "runs" / "stopped"
    wait_until(lambda: n_ended_of_all(stopped) >= 7)  # in the second search
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    said = err.strip().splitlines()[-1]
    n = n_ended_of_all(stopped)
    assert 7 <= n < 20
    assert f"{n} of 20 trials are saved. Continue with: nas-fpga compare --name stopped --resume" in said
    resumed = run(folder, "compare", "--name", "stopped", "--resume", "--workers", "2")
    assert resumed.code == 0, resumed.err
    assert f"{n}/20 trials" not in resumed.err.split("random-2")[0]
    for name in STUDIES:
        assert essence(stopped / name) == essence(whole[0] / name)
    assert (stopped / "comparison.csv").read_bytes() == (whole[0] / "comparison.csv").read_bytes()
    assert re.search(r"reaches +random +grid", resumed.out)


def test_what_has_ended_is_read_without_training(
    folder: Path, whole: tuple[Path, Ended], monkeypatch, nas_fpga
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("nas_fpga.comparison._studies.LocalWorkers", None)
    again = nas_fpga(["compare", "--name", "whole", "--resume", "--json"])
    assert again.code == 0, again.err
    assert again.out == whole[1].out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--budget", "20"], "was started with budget 30 (now 20)"),
        (["--retrain", "2"], "was started with retrain 0 (now 2)"),
        (["--trials", "4"], "--trials 4 is below the 5 of 'whole'"),
        (["--preset", "grid-vs-bo"], "was started without --preset"),
    ],
)
def test_what_a_resumed_comparison_must_agree_in(
    folder: Path, whole: tuple[Path, Ended], monkeypatch, nas_fpga, options, said
) -> None:
    monkeypatch.chdir(folder)
    ended = nas_fpga(["compare", "--name", "whole", "--resume", *options])
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert said in ended.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--samplers", "gp,magic"], "--samplers magic is none of gp, "),
        (["--samplers", "gp,gp"], "must name each method once"),
        (["--seeds", "0"], "--seeds 0 must lie between"),
        (["--trials", "0"], "--trials 0 must be at least 1"),
        (["--retrain", "1"], "--retrain 1 must be 0"),
        (["--preset", "magic"], "'magic'"),
        (["--preset", "grid-vs-bo", "--budget", "5"], "--budget is fixed by --preset grid-vs-bo"),
        (["--preset", "grid-vs-bo", "--include", "1-1-1"], "--include is fixed by --preset grid-vs-bo"),
        (["--preset", "grid-vs-bo", "--max-width", "0"], "--max-width 0 must be at least 1"),
        (["--name", "a/b"], "--name 'a/b' must be a plain name"),
        (["--name", "none", "--resume"], "there is no comparison 'none' in runs"),
        (["--resume", "--runs", "empty"], "no comparison in empty"),
        (["--workers", "0"], "--workers 0 must be at least 1"),
        (["--polish", "0.5"], "--polish"),
        (["--data", "absent.csv"], "absent.csv"),
    ],
)
def test_nonsense_is_one_line(folder: Path, monkeypatch, nas_fpga, options, said) -> None:
    monkeypatch.chdir(folder)
    data = [] if "--data" in options else ["--data", "data.csv", "--target", "label"]
    ended = nas_fpga(["compare", *data, *options])
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[-1].startswith("error: ")
    assert said in ended.err


# -- the card of the reference work ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def card(folder: Path) -> tuple[Path, Ended]:
    """Eight points of the grid, of one or two neurons a layer."""
    options = ["--preset", "grid-vs-bo", "--max-width", "2", "--samplers", "grid,random", "--seeds", "2",
               "--trials", "3", "--retrain", "2", "--noise-points", "3", "--epochs", "3",
               "--batch-size", "64"]  # fmt: skip
    ended = run(folder, "compare", "--data", "data.csv", "--target", "label", *options, "--json", "--name", "card")
    assert ended.code == 0, ended.err
    return folder / "runs" / "card", ended


def test_card_trains_the_whole_grid_once_and_the_others_for_each_seed(card: tuple[Path, Ended]) -> None:
    folder, ended = card
    assert "No hardware limits: whatever a network takes, nothing is refused" in ended.err
    grid = trials(folder / "grid-0")
    assert len(grid) == 8
    assert {trial.candidate.topology for trial in grid} == {(a, b, c) for a in (1, 2) for b in (1, 2) for c in (1, 2)}
    assert not (folder / "grid-1").exists()
    for seed in (0, 1):
        of = trials(folder / f"random-{seed}")
        assert len(of) == 3
        assert {trial.candidate.n_layers for trial in of} == {3}
        assert {str(trial.candidate.bits) for trial in (*of, *grid)} == {"w6a6"}


def test_card_measures_noise_and_trains_winners_again(card: tuple[Path, Ended]) -> None:
    folder, ended = card
    summary = json.loads(ended.out)
    (noise,) = folder.glob("noise-*")
    twice = {trial.candidate: trial.points[0].error for trial in trials(noise)}
    once = {trial.candidate: trial.points[0].error for trial in trials(folder / "grid-0")}
    assert len(twice) == 3
    within = np.mean([(twice[candidate] - once[candidate]) ** 2 / 2 for candidate in twice])
    assert summary["noise"]["within"] == pytest.approx(within)
    assert summary["noise"]["between"] == pytest.approx(max(np.var(list(once.values()), ddof=1) - within, 0))
    winner = min(trials(folder / "grid-0"), key=lambda trial: trial.points[0].error).candidate
    again = [
        trial.points[0].error
        for study in sorted(folder.glob("retrained-*"))
        for trial in trials(study)
        if trial.candidate == winner
    ]
    assert len(again) == 2
    (grid,) = summary["methods"]["grid"]["retrained"]
    assert grid["errors"] == pytest.approx(again)
    assert summary["target"]["error"] == pytest.approx(np.mean(again))
    assert len(summary["methods"]["random"]["retrained"]) == 2


def test_card_draws_maps(card: tuple[Path, Ended], browser) -> None:
    assert (card[0] / "maps.png").read_bytes().startswith(b"\x89PNG")
    with browser.new_page() as page:
        page.goto(f"file://{card[0] / 'report.html'}")
        page.wait_for_selector("#plot-map-random .main-svg")
        assert page.locator("#plot-map-grid .scatterlayer .trace").first.locator("path.point").count() == 8
        noise, limits = page.locator(".notice").all_text_contents()
        assert noise.startswith("This comparison says nothing of the methods")
        assert limits.startswith("No hardware limits")


def test_more_seeds_and_methods_may_be_asked_for_later(folder: Path, whole: tuple[Path, Ended], monkeypatch) -> None:
    monkeypatch.chdir(folder)
    more = ComparisonRun.prepare(whole[0], {"trials": 9}, samplers=["random", "gp", "grid"], seeds=3, resume=True)
    assert (more.definition.samplers, more.definition.n_seeds, more.definition.n_trials) == (
        ("random", "gp", "grid"),
        3,
        9,
    )
    stored = json.loads((whole[0] / "comparison.json").read_text())
    assert stored["n_seeds"] == 2  # nothing is written before it runs


def test_csv_has_a_line_for_each_trial_of_the_grid(card: tuple[Path, Ended]) -> None:
    with (card[0] / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["method"] for row in rows] == ["grid"] * 8 + ["random"] * 6

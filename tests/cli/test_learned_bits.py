"""Searches with learned bits, and polishing, from beginning to end."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from nas_fpga.space import LearnedBits
from tests.cli.conftest import run, spawn, write_table
from tests.cli.studies import essence, n_polished, rows_of, trials, wait_until

SEARCH = ["search", "--data", "data.csv", "--target", "label", "--budget", "12", "--max-layers", "2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learned")
    write_table(folder / "data.csv")
    return folder


def test_one_training_gives_several_points_and_each_exports(folder: Path) -> None:
    ended = run(folder, *SEARCH, "--bits", "learned", "--epochs", "20", "--trials", "4", "--study", "learned")
    assert ended.code == 0, ended.err
    assert "bits learned for every weight and activation" in ended.err
    assert "Training settings searched: pressure 1e-06 to 0.001" in ended.err
    study = folder / "runs" / "learned"
    found = trials(study)
    assert {trial.candidate.bits for trial in found} == {LearnedBits()}
    assert len({trial.candidate.settings.pressure for trial in found}) == 4
    assert max(len({point.network for point in trial.points}) for trial in found) > 1
    rows = rows_of((study / "front.csv").read_text())
    assert all(1e-6 <= float(row["pressure"]) <= 1e-3 and row["weight_bits"] == "" for row in rows)
    assert " learned " in ended.out
    written = run(folder, "export", "--study", "learned", "--point", rows[-1]["point"], "--to", "design")
    assert written.code == 0, written.err
    proven = run(folder, "verify", "design")
    assert proven.code == 0, proven.err
    assert " 0 differing" in proven.out


def test_a_run_killed_while_it_polishes_loses_nothing_and_repeats_the_rest(folder: Path) -> None:
    arguments = [*SEARCH, "--sampler", "random", "--epochs", "20", "--trials", "12", "--polish", "1", "--workers", "1"]
    whole = run(folder, *arguments, "--study", "whole")
    assert whole.code == 0, whole.err
    polished = [trial for trial in trials(folder / "runs" / "whole") if trial.polished]
    assert len(polished) > 1
    assert all(point.polished for trial in polished for point in trial.polished.points)
    killed = spawn(folder, *arguments, "--study", "killed")
    wait_until(lambda: n_polished(folder / "runs" / "killed") > 0)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert sum(trial.polished is not None for trial in trials(folder / "runs" / "killed")) >= 1
    again = run(folder, "search", "--resume", "--study", "killed")
    assert again.code == 0, again.err
    assert essence(folder / "runs" / "killed") == essence(folder / "runs" / "whole")
    assert again.out.replace("killed", "whole") == whole.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--bits", "learned", "--include", "4 w6a6"], "--include 4 w6a6 is in a search of learned bits"),
        (["--include", "4 learned"], "--include 4 learned is in a search of fixed bits; leave out its bits"),
        (["--pressure", "1e-4"], "--pressure 0.0001 is for learned bits; leave it out or give --bits learned"),
        (["--bits", "learned", "--backend", "tensorflow"], "--bits learned trains on JAX, not tensorflow"),
        (["--bits", "learned", "--sampler", "grid"], "searches no training settings (pressure); leave"),
        (["--bits", "learnt"], "is neither a range such as 2:8, nor a number such as 6, nor learned"),
        (["--polish", "2"], "--polish 2.0 must lie between 0 (none) and 1"),
    ],
)
def test_what_cannot_be_is_one_line(folder: Path, arguments: list[str], said: str) -> None:
    ended = run(folder, *SEARCH, *arguments, "--study", "none")
    assert ended.code == 2
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert not (folder / "runs" / "none").exists()


def test_a_grid_of_learned_bits(folder: Path) -> None:
    arguments = ["--bits", "learned", "--pressure", "1e-4", "--sampler", "grid", "--grid", "2,4", "--epochs", "2"]
    ended = run(folder, *SEARCH, *arguments, "--trials", "2", "--study", "grid")
    assert ended.code == 0, ended.err
    assert {str(trial.candidate) for trial in trials(folder / "runs" / "grid")} == {"2 learned", "4 learned"}
    assert "pressure" not in rows_of((folder / "runs" / "grid" / "front.csv").read_text())[0]

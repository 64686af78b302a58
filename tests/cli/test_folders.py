"""Folders that are something else already: nothing is written into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from nas_fpga.comparison import ComparisonDefinition, SweepDefinition
from nas_fpga.comparison._saved import write_definition
from nas_fpga.study import DataSource, SearchDefinition, StudyStorage, take_lock
from tests.cli.conftest import Ended, write_table

Run = Callable[[Sequence[str]], Ended]
DATA = ["--data", "data.csv", "--target", "label"]
COMMANDS = {"search": "--study", "compare": "--name", "sweep": "--name"}
FILES = {"search": "study.db", "compare": "comparison.json", "sweep": "sweep.json"}
BASE = SearchDefinition(data=DataSource("data.csv", "label"))
DEFINITIONS = {"compare": ComparisonDefinition(BASE), "sweep": SweepDefinition(BASE)}


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "data.csv")
    return tmp_path / "runs"


def make(command: str, folder: Path) -> None:
    """Leave what a command has written before its first training."""
    if command == "search":
        with StudyStorage(folder) as storage:
            storage.create(BASE)
    else:
        folder.mkdir(parents=True)
        write_definition(folder / FILES[command], DEFINITIONS[command])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("there", COMMANDS)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_takes_over_what_another_made(runs: Path, nas_fpga: Run, there: str, command: str) -> None:
    make(there, runs / "a")
    before = contents(runs / "a")
    ended = nas_fpga([command, *DATA, COMMANDS[command], "a"])
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    if command == there:
        assert "'a' exists in runs; continue it with --resume" in ended.err
    else:
        assert FILES[there] in ended.err
        assert f"but no {Path(FILES[command]).stem}; give another {COMMANDS[command]}" in ended.err
    assert contents(runs / "a") == before


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_written_before_all_is_checked(runs: Path, nas_fpga: Run, command: str) -> None:
    ended = nas_fpga([command, *DATA, "--workers", "0", COMMANDS[command], "a"])
    assert (ended.code, ended.err) == (2, "error: --workers 0 must be at least 1\n")
    assert not (runs / "a").exists()


@pytest.mark.parametrize("command", ["compare", "sweep"])
def test_what_runs_elsewhere_is_left_alone(runs: Path, nas_fpga: Run, command: str) -> None:
    """Another process that began at the same time has the folder, not yet its definition."""
    (runs / "a").mkdir(parents=True)
    kind = Path(FILES[command]).stem
    with take_lock(runs / "a" / f"{kind}.lock", "it", "--name"):
        ended = nas_fpga([command, *DATA, "--name", "a"])
    assert (ended.code, ended.out) == (2, "")
    said = ended.err.splitlines()[-1]
    assert said.startswith(f"error: {kind} 'a' is running in process ")
    assert said.endswith("; wait for it or give another --name")
    assert not (runs / "a" / FILES[command]).exists()


@pytest.mark.parametrize(
    ("command", "more"),
    [("compare", ["--trials", "99"]), ("sweep", ["--budgets", "10,20,50,100,200,500,1000,2000,3000"])],
)
def test_resuming_what_runs_changes_nothing(runs: Path, nas_fpga: Run, command: str, more: list[str]) -> None:
    make(command, runs / "a")
    before = (runs / "a" / FILES[command]).read_bytes()
    with take_lock((runs / "a" / FILES[command]).with_suffix(".lock"), "it", "--name"):
        ended = nas_fpga([command, "--name", "a", "--resume", *more])
    assert "'a' is running in process " in ended.err
    assert (runs / "a" / FILES[command]).read_bytes() == before


@pytest.mark.parametrize("command", DEFINITIONS)
def test_rows_that_have_changed(runs: Path, nas_fpga: Run, command: str) -> None:
    (runs / "a").mkdir(parents=True)
    of = DEFINITIONS[command]
    base = replace(BASE, data=replace(BASE.data, fingerprint="another"))
    write_definition(runs / "a" / FILES[command], replace(of, base=base))
    kind = Path(FILES[command]).stem
    assert nas_fpga([command, "--name", "a", "--resume"]).err == (
        f"error: the rows of data.csv have changed since {kind} 'a' was started; bring the old ones back, or start "
        "another with --name\n"
    )


def test_a_start_that_failed_leaves_nothing_in_the_way(runs: Path, nas_fpga: Run) -> None:
    (runs / "a").mkdir(parents=True)
    take_lock(runs / "a" / "comparison.lock", "it", "--name").close()
    ended = nas_fpga(["compare", *DATA, "--name", "a", "--workers", "0"])
    assert ended.err == "error: --workers 0 must be at least 1\n"  # the last of what is checked


@pytest.mark.parametrize("command", ["compare", "sweep"])
def test_a_start_that_was_killed_leaves_nothing_in_the_way(runs: Path, nas_fpga: Run, command: str) -> None:
    (runs / "a").mkdir(parents=True)
    (runs / "a" / f"{FILES[command]}.tmp").write_text("{")
    ended = nas_fpga([command, *DATA, "--name", "a", "--workers", "0"])
    assert ended.err == "error: --workers 0 must be at least 1\n"  # the last of what is checked


@pytest.mark.parametrize("command", COMMANDS)
def test_a_name_that_is_no_text_is_refused(runs: Path, nas_fpga: Run, command: str) -> None:
    ended = nas_fpga([command, *DATA, COMMANDS[command], "a\udcff"])
    assert (ended.code, ended.err) == (2, f"error: {COMMANDS[command]} 'a\\udcff' must be text; give another\n")
    assert not runs.exists()


@pytest.mark.parametrize("command", ["compare", "sweep"])
def test_what_is_resumed_keeps_its_own_settings(
    runs: Path, nas_fpga: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Neither the environment nor `--quick`, said again, is a change."""
    (runs / "a").mkdir(parents=True)
    write_definition(runs / "a" / FILES[command], DEFINITIONS[command])
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    ended = nas_fpga([command, "--name", "a", "--resume", "--quick", "--workers", "0"])
    assert ended.err == "error: --workers 0 must be at least 1\n"  # the last of what is checked
    ended = nas_fpga([command, "--name", "a", "--resume", "--backend", "tensorflow"])
    assert "was started with backend jax (now tensorflow)" in ended.err

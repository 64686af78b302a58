"""Searches that begin and end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.errors import InputError, StudyError
from nas_fpga.study import SearchInterruptedError, SearchRun, StudyStorage
from tests.study.conftest import Silent, make_setup, write_events


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_stopped_at_the_first_moment_of_its_study_a_search_knows_its_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = SearchRun.prepare(tmp_path / "early", {"trials": 7, "budget": 40}, dataset=make_setup().dataset)
    with monkeypatch.context() as patched:
        patched.setattr(StudyStorage, "set_n_trials", interrupt)  # the first that is written once it is there
        with pytest.raises(SearchInterruptedError):
            begun.execute(1, Silent())
    assert (tmp_path / "early" / "study.db").exists()
    assert SearchRun.prepare(tmp_path / "early", {}, resume=True).n_trials == 7


def test_groups_too_few_for_intervals_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    grouped = {"data": str(write_events(tmp_path / "events.csv")), "target": "label", "group": "event", "budget": 20}
    with pytest.raises(InputError, match=r"^20 groups are too few to resample 2 classes; give more groups$"):
        SearchRun.prepare(tmp_path / "early", grouped)
    assert not (tmp_path / "early").exists()
    del grouped["group"]
    assert SearchRun.prepare(tmp_path / "early", grouped).setup.dataset.n_classes == 2


@pytest.mark.parametrize("n_classes", [2, 3])
def test_one_group_of_a_class_in_a_subset_is_refused(tmp_path: Path, n_classes: int) -> None:
    """Three runs of each class: one goes to each subset, and intervals had a width of 0."""
    rows = [f"{row % 7},{row % n_classes + n_classes * (row // n_classes % 3)},{row % n_classes}" for row in range(300)]
    (tmp_path / "runs.csv").write_text("\n".join(["a,run,label", *rows]) + "\n")
    given = {"data": str(tmp_path / "runs.csv"), "target": "label", "group": "run", "budget": 20}
    with pytest.raises(
        InputError, match=r"^class '0' has too few groups in validation to be resampled; give more groups$"
    ):
        SearchRun.prepare(tmp_path / "early", given)


def test_what_is_resumed_keeps_its_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the environment nor ``quick``, said again, is a change."""
    begun = SearchRun.prepare(tmp_path / "quick", {"quick": True, "budget": 40}, dataset=make_setup().dataset)
    assert (begun.n_trials, begun.setup.definition.epochs, begun.setup.definition.backend) == (24, 12, "jax")
    with StudyStorage(tmp_path / "quick") as storage:
        storage.create(begun.setup.definition, dataset=begun.setup.dataset, n_trials=30)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    again = SearchRun.prepare(tmp_path / "quick", {"quick": True}, resume=True)
    assert (again.n_trials, again.setup.definition) == (30, begun.setup.definition)
    with pytest.raises(StudyError, match=r"was started with backend jax \(now tensorflow\)"):
        SearchRun.prepare(tmp_path / "quick", {"backend": "tensorflow"}, resume=True)


def test_trials_of_another_type_are_refused_or_made_plain(tmp_path: Path) -> None:
    dataset = make_setup().dataset
    for value in ("3", 2.5, True):
        with pytest.raises(InputError, match=rf"^--trials {value!r} must be an integer$"):
            SearchRun.prepare(tmp_path / "new", {"trials": value, "budget": 40}, dataset=dataset)
    run = SearchRun.prepare(tmp_path / "new", {"trials": np.int64(3), "budget": 40}, dataset=dataset)
    assert (run.n_trials, type(run.n_trials)) == (3, int)
    assert SearchRun.prepare(tmp_path / "new", {"trials": None, "budget": 40}, dataset=dataset).n_trials == 100


_KILLED = """
import os, signal, sys
from pathlib import Path
import sqlalchemy
from nas_fpga.study import SearchDefinition, StudyStorage

def kill(connection, cursor, statement, *_):
    if statement.startswith("INSERT INTO studies"):
        os.kill(os.getpid(), signal.SIGKILL)

sqlalchemy.event.listen(sqlalchemy.Engine, "after_cursor_execute", kill)  # not committed: SQLite's journal is there
StudyStorage(Path(sys.argv[1])).create(SearchDefinition())
"""


def test_killed_while_its_study_is_made_a_search_can_be_started_again(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    assert subprocess.run([sys.executable, "-c", _KILLED, str(folder)]).returncode == -9
    (folder / "dataset.tmp").write_bytes(b"half of the rows")
    left = {"dataset.tmp", "lock", "study.db.new", "study.db.new-journal"}
    assert {path.name for path in folder.iterdir()} == left
    run = SearchRun.prepare(folder, {"trials": 3, "budget": 40}, dataset=make_setup().dataset)
    with StudyStorage(folder) as storage:
        storage.create(run.setup.definition, dataset=run.setup.dataset, n_trials=3)
    assert {path.name for path in folder.iterdir()} == {"dataset.npz", "lock", "study.db"}
    assert SearchRun.prepare(folder, {}, resume=True).n_trials == 3

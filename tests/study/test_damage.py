"""Studies of which files are lost or damaged."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

import pytest

from nas_fpga.errors import StudyError
from nas_fpga.study import SearchRun, Setup, StudyOutcome, StudyStorage, read_outcome, summarise
from nas_fpga.study import _run as run_module
from tests.study.conftest import ScriptedWorkers, Silent, make_setup
from tests.study.test_search import search


class Workers(ScriptedWorkers):
    """Stand where :class:`nas_fpga.execution.LocalWorkers` does."""

    def __init__(self, setup: Setup, *_: object) -> None:
        super().__init__(setup, 1, lambda n: 0)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def searched(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Search, or resume, up to so many trials."""
    setup = make_setup()
    monkeypatch.setattr(run_module, "LocalWorkers", partial(Workers, setup))

    def to(n_trials: int) -> StudyOutcome:
        resume = folder.exists()
        dataset = None if resume else setup.dataset
        options = {} if resume else {"budget": 40, "sampler": "random", "polish": 0.0}
        run = SearchRun.prepare(folder, options | {"trials": n_trials}, dataset=dataset, resume=resume)
        return run.execute(1, Silent())

    return to


def test_damaged_scores_change_nothing(folder: Path) -> None:
    setup = make_setup()
    search(folder, setup, 6)
    with StudyStorage(folder) as storage:
        storage.open(write=False)
        whole = summarise(setup, storage, storage.trials())
        for scores in folder.glob("trials/*/validation_scores_0.npy"):
            scores.write_bytes(b"")
        again = summarise(setup, storage, storage.trials())
    assert len(whole.front) > 1
    assert again.csv() == whole.csv()


def test_a_lost_checkpoint_of_the_front_does_not_keep_a_search_from_its_end(folder: Path, searched) -> None:
    before = searched(6)
    lost = before.front[0]
    (folder / "trials" / f"{lost.trial.number:05d}" / "network_0.npz").unlink()
    after = searched(8)
    assert len(after.trials) == 8
    assert set(after.lost) == {point.name for point in lost.trial.points}
    assert f"{lost.trial.number:05d}/network_0.npz is gone" in after.lost[lost.point.name]
    with (folder / "front.csv").open(newline="") as file:
        names = [row["point"] for row in csv.DictReader(file)]
    assert names == [row.point.name for row in after.front]
    assert lost.point.name not in names
    again = read_outcome(folder)
    assert ([row.point.name for row in again.front], set(again.lost)) == (names, set(after.lost))


def test_a_search_of_which_no_checkpoint_is_left_says_so(folder: Path, searched) -> None:
    searched(4)
    for network in folder.glob("trials/*/network_0.npz"):
        network.write_bytes(b"")
    with pytest.raises(StudyError, match=r"^no checkpoint of study 'study' can be read: point 0\.0"):
        searched(4)

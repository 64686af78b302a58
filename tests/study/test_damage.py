"""Studies of which files are lost or damaged."""

from __future__ import annotations

from pathlib import Path

from nas_fpga.study import StudyStorage, summarise
from tests.study.conftest import make_setup
from tests.study.test_search import search


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

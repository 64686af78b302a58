"""Searches that begin and end."""

from __future__ import annotations

from pathlib import Path

import pytest

from nas_fpga.errors import InputError
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

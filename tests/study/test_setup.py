"""The rooms of a search fit each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nas_fpga.space import BitWidths, Candidate, TrainingSpace
from nas_fpga.study import StudyStorage, TrialRecord, summarise
from nas_fpga.training import ExpectedTime
from tests.study.conftest import make_setup
from tests.study.test_search import search


def test_the_space_knows_how_long_trainings_take() -> None:
    setup = make_setup(budget=500, epochs=30)
    rows = setup.space.rows([Candidate(topology, BitWidths(6, 6)) for topology in ((1,), (400,), (200, 200))])
    expected = ExpectedTime(3, 1, len(setup.split.train))(rows, np.full(3, 30))
    assert setup.space.training_time(rows) == pytest.approx(expected)
    searched = make_setup(budget=500, search_training=TrainingSpace(epochs=(10, 20))).space
    rows = searched.rows([Candidate((400,), BitWidths(6, 6), replace(setup.settings, epochs=n)) for n in (10, 20)])
    few, many = searched.training_time(rows)
    assert few < many


def test_what_everything_passes_is_not_on_the_front_of_a_study(folder: Path) -> None:
    setup = make_setup()
    search(folder, setup, 12)

    def passing_everything(trial: TrialRecord, number: int) -> TrialRecord:
        if trial.number != number:
            return trial
        points = [replace(p, merits=replace(p.merits, background_efficiency=1.0)) for p in trial.outcome.points]
        return replace(trial, outcome=replace(trial.outcome, points=tuple(points)))

    with StudyStorage(folder) as storage:
        storage.open(write=False)
        trials = storage.trials()
        before = [row.trial.number for row in summarise(setup, storage, trials).front]
        spoilt = [passing_everything(trial, before[0]) for trial in trials]  # the cheapest: nothing dominates it
        after = [row.trial.number for row in summarise(setup, storage, spoilt).front]
    assert len(before) > 1
    assert before[0] not in after
    assert set(before[1:]) <= set(after)

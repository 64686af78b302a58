"""A search that knows the trials of others."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas_fpga.errors import InputError, SearchFailedError, StudyError
from nas_fpga.space import TrainingSpace
from nas_fpga.study import Search, Setup, StudyStorage, TrialRecord, known_before
from tests.study.conftest import ScriptedWorkers, Silent, make_setup

SMALL: dict[str, Any] = {"budget": 10, "split_seed": 0, "weight_bits": (4, 5), "activation_bits": (6, 6)}
LARGE: dict[str, Any] = SMALL | {"budget": 20, "seed": 3, "after": ("small",), "sampler": "gp"}


def search(folder: Path, setup: Setup, n_trials: int, n_workers: int = 1) -> list[TrialRecord]:
    with StudyStorage(folder) as storage:
        if storage.exists():
            storage.open(write=True)
            known = known_before(folder, setup.definition, setup.target, n_known=storage.n_known())
        else:
            known = known_before(folder, setup.definition, setup.target)
            storage.create(setup.definition, n_known=list(map(len, known)))
        workers = ScriptedWorkers(setup, n_workers, lambda n: n - 1)
        of_all = list(itertools.chain(*known))
        Search(setup, storage, n_trials, Silent(), known=of_all).run(workers)  # type: ignore[arg-type]
        return storage.trials()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("known") / "small"
    search(folder, make_setup(**SMALL), 24)
    return folder


@pytest.fixture
def runs(small: Path, tmp_path: Path) -> Path:
    shutil.copytree(small, tmp_path / "small")
    return tmp_path


def test_observations_are_those_of_the_other_study(runs: Path) -> None:
    setup = make_setup(**LARGE)
    (known,) = known_before(runs / "large", setup.definition, setup.target)
    with StudyStorage(runs / "small") as storage:
        storage.open(write=False)
        trials = storage.trials()
    assert [observation.candidate for observation in known] == [trial.candidate for trial in trials]
    assert [observation.log10_error for observation in known] == [t.points[0].merits.log10_error for t in trials]


def test_nothing_is_trained_twice_and_no_random_start_is_made_again(runs: Path) -> None:
    large = search(runs / "large", make_setup(**LARGE), 8)
    small = {trial.candidate for trial in search(runs / "small", make_setup(**SMALL), 24)}
    assert len(small) == 24
    assert not small & {trial.candidate for trial in large}
    assert {trial.proposed_by for trial in large} == {"sampler"}  # the small one had 24 trials, the start takes 20
    alone = search(runs / "alone", make_setup(**LARGE | {"after": ()}), 8)
    assert {trial.proposed_by for trial in alone} == {"random start"}
    assert [trial.candidate for trial in alone] != [trial.candidate for trial in large]


def test_stopped_and_resumed_is_the_same(runs: Path) -> None:
    whole = search(runs / "large", make_setup(**LARGE), 9, 2)
    search(runs / "again", make_setup(**LARGE), 5)
    assert search(runs / "again", make_setup(**LARGE), 9, 3) == whole


def test_what_the_other_study_trains_later_is_not_known(runs: Path) -> None:
    whole = search(runs / "large", make_setup(**LARGE), 9)
    search(runs / "again", make_setup(**LARGE), 6)  # two of the second generation
    assert len(search(runs / "small", make_setup(**SMALL), 32)) == 32
    assert search(runs / "again", make_setup(**LARGE), 9) == whole
    setup = make_setup(**LARGE)
    assert [len(known_before(runs / "again", setup.definition, setup.target, n_known=n)[0]) for n in ([5], None)] == [
        5,
        32,
    ]


def test_a_study_of_other_trainings_is_refused(runs: Path) -> None:
    searched: dict[str, Any] = {"search_training": TrainingSpace(learning_rate=(0.001, 0.01))}
    search(runs / "rates", make_setup(**SMALL | searched), 4)
    with pytest.raises(InputError, match=r"--after rates searched learning_rate too.*--search-training learning_rate"):
        search(runs / "large", make_setup(**LARGE | {"after": ("rates",)}), 4)
    assert len(search(runs / "both", make_setup(**LARGE | searched | {"after": ("small", "rates")}), 4)) == 4


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"split_seed": 1}, "--after small split its rows by seed 0; give --split-seed 0"),
        ({"epochs": 7}, r"--after small was searched with epochs 50 \(now 7\); its figures cannot be compared"),
        ({"input_bits": 9}, "--after small was searched with input_bits 10"),
        ({"signal_efficiency": 0.9}, "--after small was searched with signal_efficiency 0.95"),
    ],
)
def test_what_cannot_be_compared_is_refused(runs: Path, values: dict[str, Any], said: str) -> None:
    setup = make_setup(**LARGE | values)
    with pytest.raises(InputError, match=said):
        known_before(runs / "large", setup.definition, setup.target)


def test_studies_that_are_not_there_or_have_not_ended(runs: Path) -> None:
    setup = make_setup(**LARGE)
    with pytest.raises(StudyError, match="study 'none' is not in"):
        known_before(runs / "large", replace(setup.definition, after=("none",)), setup.target)
    with StudyStorage(runs / "small") as storage:
        storage.open(write=True)
        last = storage.trials()[-1]
        storage.add([replace(last, number=24, state="waiting")])
    with pytest.raises(
        InputError, match="--after small has ended 24 of 25 trials; continue it with --resume first, or leave it out"
    ):
        known_before(runs / "large", setup.definition, setup.target)


def test_nothing_left_to_train_is_said(runs: Path) -> None:
    tiny: dict[str, Any] = SMALL | {"budget": 2, "max_layers": 2, "weight_bits": (4, 4), "activation_bits": (4, 4)}
    assert len(search(runs / "all", make_setup(**tiny), 9)) == 3
    with pytest.raises(SearchFailedError, match="nothing is left to train: all had it all; widen space or grid"):
        search(runs / "none", make_setup(**tiny | {"seed": 1, "after": ("all",)}), 9)

"""What Optuna and its page show of a study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from nas_fpga.space import BitWidths, Candidate, TrainingSettings, TrainingSpace
from nas_fpga.study import HardwareTarget, StudyStorage
from tests.study.conftest import make_setup
from tests.study.records import CANDIDATE, complete, failed, waiting


def test_what_optuna_shows(folder: Path) -> None:
    setup = make_setup()
    record = complete(waiting(0), setup)
    with StudyStorage(folder) as storage:
        storage.create(setup.definition)
        storage.add([waiting(0), waiting(1)])
        storage.end(record, setup.target)
        storage.end(failed(waiting(1)), setup.target)
    study = optuna.load_study(study_name="study", storage=f"sqlite:///{folder / 'study.db'}")
    first, second = study.trials
    primary = record.primary(setup.target)
    assert primary is not None
    assert first.values == [primary.error, primary.mapped.figures.share(setup.target)]
    assert first.params["neurons"] == 8
    assert second.state == optuna.trial.TrialState.FAIL
    assert second.values is None
    assert second.user_attrs["cause"] == "the loss became nan"
    excess = max(primary.mapped.figures.shares(setup.target).values()) - 1
    assert first.system_attrs["constraints"] == [excess]
    assert excess < 0
    assert study.best_trials == [first]


@pytest.mark.parametrize(("region", "violated"), [("1%", True), ("unlimited", False)])
def test_optuna_is_told_what_breaks_limits(folder: Path, region: str, violated: bool) -> None:
    setup = make_setup(hardware=HardwareTarget(part="zcu102", region=region, rate_mhz=1e6))  # more than it can do
    record = complete(waiting(), setup)
    primary = record.primary(setup.target)
    assert primary is not None
    assert max(primary.mapped.figures.shares(setup.target).values()) > 1
    with StudyStorage(folder) as storage:
        storage.create(setup.definition)
        storage.add([waiting()])
        storage.end(record, setup.target)
        (trial,) = storage.optuna.get_all_trials(storage.optuna_id)
    assert (trial.system_attrs["constraints"][0] > 0) is violated


def test_optuna_shows_settings_that_are_searched(folder: Path) -> None:
    training = TrainingSpace(learning_rate=(1e-3, 1e-2), batch_size=(64, 256), weight_decay=(1e-5, 0.1))
    definition = make_setup(search_training=training).definition
    candidates = [replace(CANDIDATE, settings=TrainingSettings(3e-3, batch_size=64, weight_decay=0.01)), CANDIDATE]
    with StudyStorage(folder) as storage:
        storage.create(definition)
        storage.add([replace(waiting(0), candidate=candidates[0])])
    with StudyStorage(folder) as storage:
        assert storage.open(write=True) == definition
        assert storage.trials()[0].candidate == candidates[0]
        storage.add([replace(waiting(1), candidate=candidates[1])])  # included: outside the ranges
    first, second = optuna.load_study(study_name="study", storage=f"sqlite:///{folder / 'study.db'}").trials
    assert (first.params["learning rate"], first.params["batch size"], first.params["weight decay"]) == (3e-3, 64, 0.01)
    assert (second.params["learning rate"], second.params["batch size"]) == (5e-3, 1024)
    assert second.params["weight decay"] == 1e-12  # none: what lies below a logarithmic scale
    assert "dropout" not in first.params


def test_what_is_beyond_all_that_optuna_shows_is_shown_as_the_end(folder: Path) -> None:
    training = TrainingSpace(learning_rate=(1, 1e9), batch_size=(16, 2**22), epochs=(1, 2_000_000), epsilon=(1e-20, 1))
    definition = make_setup(search_training=training).definition
    settings = TrainingSettings(1e9, batch_size=2**22, epochs=2_000_000, epsilon=1e-20)
    candidate = Candidate((3_000_000,), BitWidths(2, 16), settings)
    with StudyStorage(folder) as storage:
        storage.create(definition)
        storage.add([replace(waiting(0), candidate=candidate)])
        assert storage.trials()[0].candidate == candidate
        (trial,) = storage.optuna.get_all_trials(storage.optuna_id)
    assert trial.params == {
        "depth": 1,
        "neurons": 2**20,
        "narrowest layer": 2**20,
        "weight bits": 2,
        "activation bits": 16,
        "learning rate": 1e6,
        "batch size": 2**20,
        "epochs": 2**20,
        "epsilon": 1e-12,
    }

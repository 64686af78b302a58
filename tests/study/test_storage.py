"""What is written is what is read, and an ended trial is whole."""

from __future__ import annotations

import functools
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
import sqlalchemy

from nas_fpga.errors import StudyError
from nas_fpga.space import BitWidths, Candidate, LearnedBits
from nas_fpga.study import Outcome, Point, Setup, StudyStorage
from nas_fpga.study._json import from_json, to_json
from nas_fpga.study._run import _mapped_anew
from nas_fpga.training import TrainingJob
from tests.study.conftest import make_setup, network_of
from tests.study.records import CANDIDATE, complete, failed, waiting


@pytest.fixture(scope="module")
def setup() -> Setup:
    return make_setup()


@pytest.fixture
def storage(folder: Path, setup: Setup):
    with StudyStorage(folder) as storage:
        storage.create(setup.definition)
        yield storage


def test_every_stored_value_survives_json(setup: Setup) -> None:
    record = complete(waiting(), setup)
    for value in (record.outcome, record.candidate, setup.definition, failed(waiting()).outcome, waiting(), record):
        text = json.dumps(to_json(value))
        assert from_json(type(value), json.loads(text)) == value
    definition = make_setup(include=("8-8", "9"), max_width=7, grid="4x4", sampler="grid").definition
    assert from_json(type(definition), to_json(definition)) == definition


@pytest.mark.parametrize("bits", [BitWidths(2, 8), LearnedBits()])
def test_bits_of_both_kinds_are_kept_exactly(storage: StudyStorage, bits: BitWidths | LearnedBits) -> None:
    record = replace(waiting(), candidate=Candidate((7, 3), bits))
    storage.add([record])
    (kept,) = storage.trials()
    assert kept == record
    assert type(kept.candidate.bits) is type(bits)


def test_what_is_younger_than_a_study_takes_its_default(setup: Setup) -> None:
    point = complete(waiting(), setup).outcome.points[0]
    stored = to_json(point)
    del stored["topology"], stored["mapped"]["figures"]["period_ns"]
    old = from_json(Point, stored)
    figures = replace(point.mapped.figures, period_ns=None)
    assert old == replace(point, topology=None, mapped=replace(point.mapped, figures=figures))
    assert waiting().topology_of(old) == waiting().candidate.topology
    pruned = replace(point, topology=(5, 1))
    assert from_json(Point, to_json(pruned)) == pruned
    assert waiting().name_of(pruned) == "7-1 to 5-1 w4a6"


def test_json_of_another_version_is_refused(setup: Setup) -> None:
    stored = to_json(CANDIDATE)
    with pytest.raises(TypeError, match="Candidate has no colour"):
        from_json(Candidate, stored | {"colour": "blue"})
    del stored["bits"]
    with pytest.raises(KeyError, match="bits"):
        from_json(Candidate, stored)


def test_what_was_stored_before_a_field_existed_has_its_default(setup: Setup) -> None:
    stored = to_json(CANDIDATE)
    for name in ("learning_rate_decay", "beta_1", "beta_2", "epsilon", "weight_decay", "dropout"):
        del stored["settings"][name]
    assert from_json(Candidate, stored) == CANDIDATE
    before = to_json(setup.definition)
    del before["search_training"]
    assert from_json(type(setup.definition), before) == setup.definition


def test_what_is_written_at_once_is_one_transaction(storage: StudyStorage, setup: Setup) -> None:
    records = [waiting(i) for i in range(4)]
    commits: list[object] = []
    sqlalchemy.event.listen(storage.optuna.engine, "commit", commits.append)
    storage.add(records)
    assert len(commits) == len(records)
    storage.mark(0, "running")
    commits.clear()
    storage.end(complete(records[0], setup), setup.target)
    assert len(commits) == 1


def test_a_trial_that_cannot_be_written_whole_is_not_written(storage: StudyStorage, setup: Setup) -> None:
    storage.add([waiting()])
    storage.mark(0, "running")
    with storage.optuna.engine.begin() as connection:  # values are the last that is written
        connection.execute(sqlalchemy.text("ALTER TABLE trial_values RENAME TO elsewhere"))
    with pytest.raises(StudyError, match="no such table: trial_values"):
        storage.end(complete(waiting(), setup), setup.target)
    with storage.optuna.engine.begin() as connection:
        connection.execute(sqlalchemy.text("ALTER TABLE elsewhere RENAME TO trial_values"))
    (trial,) = storage.optuna.get_all_trials(storage.optuna_id)
    assert trial.state == optuna.trial.TrialState.RUNNING
    assert "nas-fpga:outcome" not in trial.system_attrs
    storage.end(complete(waiting(), setup), setup.target)  # and is written when it can be
    assert storage.trials()[0].state == "complete"


def test_a_lock_that_passes_is_waited_for(storage: StudyStorage, setup: Setup, folder: Path) -> None:
    storage.add([waiting()])
    storage.mark(0, "running")
    for write in (
        lambda: storage.end(complete(waiting(), setup), setup.target),
        lambda: storage.add([waiting(1)]),
        lambda: storage.add_polished(replace(complete(waiting(), setup), polished=Outcome(cause="none"))),
    ):
        other = sqlite3.connect(folder / "study.db", check_same_thread=False, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        timer = threading.Timer(6.5, lambda other=other: (other.execute("ROLLBACK"), other.close()))
        timer.start()  # longer than SQLite waits
        write()
        timer.join()
    first, second = storage.trials()
    assert (first.state, second.state) == ("complete", "waiting")
    assert first.polished == Outcome(cause="none")


def test_outcomes_of_many_networks_are_kept_in_pieces_that_every_database_takes(
    storage: StudyStorage, setup: Setup
) -> None:
    storage.add([waiting()])
    storage.mark(0, "running")
    one = complete(waiting(), setup)
    points = tuple(replace(one.outcome.points[0], index=k, network=k) for k in range(60))
    many = replace(one, outcome=replace(one.outcome, points=points), polished=replace(one.outcome, points=points))
    storage.end(many, setup.target)
    storage.add_polished(many)
    assert storage.trials() == [replace(many)]
    with storage.optuna.engine.begin() as connection:
        for table in ("trial_system_attributes", "study_system_attributes"):
            lengths = connection.execute(sqlalchemy.text(f"SELECT length(value_json) FROM {table}")).scalars().all()
            assert 20_000 < max(lengths) < 2**16


def test_a_study_from_before_there_was_polishing_is_not_polished(folder: Path, setup: Setup) -> None:
    with StudyStorage(folder) as storage:
        storage.create(setup.definition)
        kept = to_json(setup.definition)
        del kept["polish"]
        storage.optuna.set_study_system_attr(storage.optuna_id, "nas-fpga:definition", json.dumps(kept))
        assert storage.open(write=False).polish == 0


def test_trials_come_back_as_they_were(storage: StudyStorage, folder: Path, setup: Setup) -> None:
    records = [waiting(i) for i in range(4)]
    storage.add(records)
    assert storage.trials() == records
    for number in (0, 1, 2):
        storage.mark(number, "running")
    ended = [complete(records[0], setup), failed(records[1])]
    for record in ended:
        storage.end(record, setup.target)
    expected = [*ended, replace(records[2], state="running"), records[3]]
    assert storage.trials() == expected
    storage.set_n_trials(9)
    storage.close()
    with StudyStorage(folder) as again:
        assert again.open(write=False) == setup.definition
        assert again.trials() == expected
        assert again.n_trials() == 9
        assert again.versions()["numpy"] == np.__version__


def test_trial_whose_end_was_not_written_whole_has_not_ended(
    storage: StudyStorage, folder: Path, setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.add([waiting(0)])
    storage.mark(0, "running")
    connection = storage._connect()
    steps = ["set_trial_user_attr", "set_trial_system_attr", "set_trial_state_values"]
    for step in steps:  # the process is killed at each of the writes
        with monkeypatch.context() as patched:
            patched.setattr(connection, step, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                storage.end(complete(waiting(0), setup), setup.target)
        assert storage.trials() == [replace(waiting(0), state="running")]
    storage.end(complete(waiting(0), setup), setup.target)  # trained again
    assert storage.trials() == [complete(waiting(0), setup)]


def test_killed_while_the_study_is_made(folder: Path) -> None:
    """Whatever the moment, there is a whole study or none."""
    program = (
        "import os, sys, signal; from pathlib import Path\n"
        "from nas_fpga.study import SearchDefinition, StudyStorage\n"
        "from optuna.storages import RDBStorage as R\n"
        "name = sys.argv[2]; real = getattr(R, name)\n"
        "def killed(*a, **k):\n    real(*a, **k); os.kill(os.getpid(), signal.SIGKILL)\n"
        "setattr(R, name, killed)\n"
        "StudyStorage(Path(sys.argv[1])).create(SearchDefinition())\n"
    )
    for name in ("__init__", "create_new_study", "set_study_user_attr", "set_study_system_attr"):
        ended = subprocess.run([sys.executable, "-c", program, str(folder), name])
        assert ended.returncode == -9
        assert (folder / "lock").exists()
        assert not StudyStorage(folder).exists()
    with StudyStorage(folder) as storage:
        storage.create(make_setup().definition, n_trials=5)
    with StudyStorage(folder) as storage:
        assert storage.open(write=True) == make_setup().definition
        assert storage.n_trials() == 5


def test_only_one_process_writes(storage: StudyStorage, folder: Path, setup: Setup) -> None:
    with StudyStorage(folder) as second:
        assert second.open(write=False) == setup.definition  # reading is free
    with StudyStorage(folder) as second, pytest.raises(StudyError, match="'study' is running in process"):
        second.open(write=True)
    storage.close()
    with StudyStorage(folder) as second:
        second.open(write=True)


def test_networks_and_scores(storage: StudyStorage, setup: Setup) -> None:
    record = complete(waiting(0), setup)
    network = network_of(setup, TrainingJob(0, record.candidate, record.seed))
    logits = network.logits(setup.dataset.features[setup.split.validation])
    storage.save_networks(0, [network], [logits])
    loaded = storage.load_network(record, 0)
    assert loaded.candidate == record.candidate
    np.testing.assert_array_equal(loaded.logits(setup.dataset.features), network.logits(setup.dataset.features))
    features = setup.dataset.features[setup.split.validation]
    np.testing.assert_array_equal(storage.load_scores(record, 0, features), logits.astype(np.float32))
    lost: dict[str, str] = {}
    assert _mapped_anew(record, storage, setup, lost) == record
    assert _mapped_anew(failed(waiting(1)), storage, setup, lost) == failed(waiting(1))
    assert lost == {}


@pytest.mark.parametrize("damage", ["gone", "empty", "truncated", "foreign", "not finite", "of other rows", "archive"])
def test_scores_that_cannot_be_read_are_computed_again(
    storage: StudyStorage, setup: Setup, folder: Path, damage: str
) -> None:
    record = complete(waiting(0), setup)
    network = network_of(setup, TrainingJob(0, record.candidate, record.seed))
    features = setup.dataset.features[setup.split.validation]
    storage.save_networks(0, [network], [network.logits(features)])
    whole = storage.load_scores(record, 0, features)
    path = folder / "trials" / "00000" / "validation_scores_0.npy"
    written = path.read_bytes()
    path.unlink()
    if damage in ("not finite", "of other rows"):
        np.save(path, np.full_like(whole, np.nan) if damage == "not finite" else whole[1:])
    elif damage == "archive":
        with path.open("wb") as file:
            np.savez(file, whole)
    elif damage != "gone":
        path.write_bytes({"empty": b"", "truncated": written[:-1], "foreign": b"no scores"}[damage])
    np.testing.assert_array_equal(storage.load_scores(record, 0, features), whole)
    (folder / "trials" / "00000" / "network_0.npz").unlink()
    with pytest.raises(StudyError, match=r"^point 0\.0, .*network_0\.npz is gone; bring it back"):
        storage.load_scores(record, 0, features)


def test_scores_are_on_disk_before_they_have_their_name(
    storage: StudyStorage, setup: Setup, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As networks are: what has its name is whole, whenever the machine stops."""
    record = complete(waiting(0), setup)
    network = network_of(setup, TrainingJob(0, record.candidate, record.seed))
    steps: list[str] = []
    fsync, moved = os.fsync, Path.replace

    def noted_fsync(file: int) -> None:
        steps.append(f"written {os.fstat(file).st_size > 0}")
        fsync(file)

    def noted_move(path: Path, to: Path) -> Path:
        steps.append(to.name)
        return moved(path, to)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_move)
    storage.save_networks(0, [network], [np.zeros((4, 1))])
    assert steps == ["written True", "network_0.npz", "written True", "validation_scores_0.npy"]
    assert len(list((folder / "trials" / "00000").iterdir())) == 2


def test_another_storage(tmp_path: Path, setup: Setup) -> None:
    """Two studies in one database, their folders elsewhere."""
    url = f"sqlite:///{tmp_path / 'all.db'}"
    for name in ("one", "two"):
        with StudyStorage(tmp_path / "runs" / name, url) as storage:
            assert not storage.exists()
            storage.create(setup.definition)
            storage.add([waiting(0)] if name == "one" else [])
    with StudyStorage(tmp_path / "runs" / "one", url) as storage:
        assert storage.exists()
        storage.open(write=True)
        assert storage.trials() == [waiting(0)]
    assert not (tmp_path / "runs" / "one" / "study.db").exists()


@pytest.mark.parametrize("name", ["what?", "a%20b", "{x}", "a b#c", "x:y@z", "größe", "a&b=1", "[c]"])
def test_whatever_a_study_is_called_it_lies_in_its_folder(tmp_path: Path, setup: Setup, name: str) -> None:
    folder = tmp_path / "runs" / name
    with StudyStorage(folder) as storage:
        storage.create(setup.definition)
        storage.add([waiting(0)])
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {folder / "lock", folder / "study.db"}
    with StudyStorage(folder) as storage:
        assert storage.open(write=True) == setup.definition
        assert storage.trials() == [waiting(0)]


@pytest.mark.parametrize("url", [None, "sqlite://"])
def test_a_path_that_is_no_text_is_refused(tmp_path: Path, url: str | None) -> None:
    with pytest.raises(StudyError, match=r"/x\\udcff/study' has a path of bytes that are no text; give another$"):
        StudyStorage(tmp_path / "x\udcff" / "study", url)


def test_in_a_storage_that_others_share_a_study_made_in_part_is_none(
    tmp_path: Path, setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = ("set_study_user_attr", "set_study_system_attr")
    real = {name: getattr(optuna.storages.RDBStorage, name) for name in writes}
    for n in range(100):
        left = iter(range(n))

        def write(*arguments: object, name: str, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt
            real[name](*arguments)

        with StudyStorage(tmp_path / "runs" / str(n), f"sqlite:///{tmp_path / 'all.db'}") as storage:
            with monkeypatch.context() as patched:
                for name in writes:
                    patched.setattr(optuna.storages.RDBStorage, name, functools.partialmethod(write, name=name))
                try:
                    storage.create(setup.definition, n_trials=3)
                    break
                except KeyboardInterrupt:
                    storage.close()
            with pytest.raises(StudyError, match="was not made by nas-fpga; give another --study NAME"):
                storage.open(write=True)
    assert 4 <= n < 99
    with StudyStorage(tmp_path / "runs" / str(n), f"sqlite:///{tmp_path / 'all.db'}") as storage:
        assert storage.open(write=True) == setup.definition
        assert (storage.n_trials(), storage.versions()["numpy"]) == (3, np.__version__)

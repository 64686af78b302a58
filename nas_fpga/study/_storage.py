"""A study on disk: an Optuna study with the folder of checkpoints beside it, opened by one process at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga._files import in_one_step
from nas_fpga.data import Dataset, save_dataset
from nas_fpga.errors import StudyError
from nas_fpga.hardware import Target, as_told
from nas_fpga.space import TrainingSpace
from nas_fpga.study._definition import DATASET_FILE, SearchDefinition
from nas_fpga.study._json import from_json, to_json
from nas_fpga.study._lock import take_lock
from nas_fpga.study._optuna import in_one_transaction, optuna_storage, sqlite_url, storage_errors
from nas_fpga.study._records import TrialRecord, TrialState
from nas_fpga.study._shown import parameters_of, shown_of_candidate, shown_of_ended, shown_of_study
from nas_fpga.study._stored import OURS, as_of_now, attributes_of, pieces, record_of
from nas_fpga.study._versions import versions
from nas_fpga.training import QuantizedNetwork

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

LOCK = "lock"
_UNFINISHED = "study.db.new"
LEFT_OVER = (_UNFINISHED, f"{_UNFINISHED}-journal", str(Path(DATASET_FILE).with_suffix(".tmp")))
"""What a process leaves that is killed while it makes a study: SQLite's journal beside the file, and rows half written.
"""

_POLISHED = "polished:"
_OBJECTIVES = "study:metric_names"
_N_TRIALS = "trials asked for"
_N_KNOWN = "trials known before"
_ENDED_WITH = "trials asked for when it ended"
_CONSTRAINTS = "constraints"  # how far limits are violated, as Optuna and its dashboard both know it


class StudyStorage:
    """Reads and writes one study. Every ended trial is on disk before the search goes on.

    Args:
        folder: ``runs/NAME``: checkpoints, scores and, unless another storage is given, ``study.db``.
        url: Any Optuna storage URL, or None for SQLite in the folder.

    Raises:
        StudyError: The folder's path is no text: no database takes it.
    """

    def __init__(self, folder: Path, url: str | None = None) -> None:
        """See the class."""
        try:
            str(folder.absolute()).encode()
        except UnicodeEncodeError:
            raise StudyError(f"study {str(folder)!a} has a path of bytes that are no text; give another") from None
        self.folder = folder
        self.name = folder.name
        self.url = url
        self._own_file = url is None
        self._lock: IO[str] | None = None
        self._storage: RDBStorage | None = None
        self._study_id = -1
        self._merit = ""
        self._searched = TrainingSpace()
        self._trial_ids: list[int] = []

    @cached_property
    def _url(self) -> str:
        return self.url or sqlite_url(self.folder / "study.db")

    @property
    def optuna_id(self) -> int:
        """Number of the open study in its storage."""
        return self._study_id

    @property
    def optuna(self) -> RDBStorage:
        """The Optuna storage of the open study, for those who look at it with Optuna's means."""
        return self._connect()

    # -- opening and closing -----------------------------------------------------------------------------------------

    def exists(self) -> bool:
        """Return whether a study is there."""
        if self._own_file:
            return (self.folder / "study.db").exists()
        with storage_errors(self._url):
            return self.name in {study.study_name for study in self._connect().get_all_studies()}

    def create(
        self,
        definition: SearchDefinition,
        objectives: tuple[str, str] = ("background efficiency or error rate", "share of the limits"),
        dataset: Dataset | None = None,
        n_trials: int = 0,
        n_known: Sequence[int] = (),
    ) -> None:
        """Create the study with what defines it, so that it can be resumed from its first moment.

        Args:
            definition: What defines it.
            objectives: Figure of merit and resource axis in words, as Optuna shall show them.
            dataset: Rows that lie in no file of their own, to be kept in the folder.
            n_trials: How many trials are asked for.
            n_known: How many trials each of the studies before this one has.

        Raises:
            StudyError: It exists, another process has it, or the folder or storage cannot be written.
        """
        from optuna.study import StudyDirection

        if self.exists():
            raise StudyError(
                f"study '{self.name}' exists in {self.folder}; continue it with --resume or give another --study NAME"
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StudyError(f"folder {self.folder} cannot be made ({error.strerror}); give another --runs") from error
        self._take_lock()
        for name in LEFT_OVER:
            (self.folder / name).unlink(missing_ok=True)
        if dataset is not None:
            save_dataset(dataset, self.folder / DATASET_FILE)
        unfinished = self.folder / _UNFINISHED  # whoever is killed while making a study leaves none
        with storage_errors(self._url):
            if self._own_file:
                self._storage = optuna_storage(sqlite_url(unfinished))
            storage = self._connect()
            directions = [StudyDirection.MINIMIZE, StudyDirection.MINIMIZE]
            self._study_id = storage.create_new_study(directions, self.name)
            storage.set_study_user_attr(self._study_id, _N_TRIALS, n_trials)
            storage.set_study_system_attr(self._study_id, f"{OURS}{_N_KNOWN}", list(n_known))
            for name, value in shown_of_study(definition).items():
                storage.set_study_user_attr(self._study_id, name, value)
            storage.set_study_system_attr(self._study_id, _OBJECTIVES, list(objectives))
            # Last what makes it a study of ours: in a storage that others share there is nothing that can be renamed.
            ours = {"versions": json.dumps(versions()), "definition": json.dumps(to_json(definition), sort_keys=True)}
            for name, text in ours.items():
                storage.set_study_system_attr(self._study_id, OURS + name, text)
        self._merit, self._searched = objectives[0], definition.searched
        if self._own_file:
            self._disconnect()
            unfinished.replace(self.folder / "study.db")

    def open(self, *, write: bool) -> SearchDefinition:
        """Open an existing study and return its definition.

        Raises:
            StudyError: It is not there, is no study of ours, cannot be read, or (to write) another process has it.
        """
        if not self.exists():
            raise StudyError(f"study '{self.name}' is not in {self.folder.parent}; name another with --study NAME")
        if write:
            self._take_lock()
        with storage_errors(self._url):
            storage = self._connect()
            found = {study.study_name: study._study_id for study in storage.get_all_studies()}
            # A file of our own holds one study, which keeps its name when its folder gets another.
            study_id = next(iter(found.values()), None) if self._own_file else found.get(self.name)
            if study_id is None:
                raise StudyError(f"{self._url} holds no study '{self.name}'; name another with --study NAME")
            self._study_id = study_id
            definition = self._study_attributes().get("definition")
            self._merit = storage.get_study_system_attrs(self._study_id).get(_OBJECTIVES, [""])[0]
        if definition is None:
            raise StudyError(f"study '{self.name}' was not made by nas-fpga; give another --study NAME")
        try:
            defined = from_json(SearchDefinition, as_of_now(json.loads(definition)))
        except (KeyError, TypeError, ValueError) as error:
            raise StudyError(
                f"study '{self.name}' was made by another version of nas-fpga ({error}); use that one, or give another "
                "--study NAME"
            ) from error
        self._searched = defined.searched
        return defined

    def close(self) -> None:
        """Give the study back."""
        self._disconnect()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> StudyStorage:
        """Use as a context manager."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _connect(self) -> RDBStorage:
        if self._storage is None:
            # A file of our own is made whole by `create`; what lies there instead is not to be written to.
            self._storage = optuna_storage(self._url, make_tables=not self._own_file)
        return self._storage

    def _disconnect(self) -> None:
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()
            self._storage = None

    def _take_lock(self) -> None:
        self._lock = take_lock(self.folder / LOCK, f"study '{self.name}'", "--study NAME")

    def set_n_trials(self, n_trials: int) -> None:
        """Note how many trials were asked for, so that a resumed search knows without being told."""
        with storage_errors(self._url):
            self._connect().set_study_user_attr(self._study_id, _N_TRIALS, n_trials)

    def n_trials(self) -> int:
        """Return how many trials were asked for."""
        with storage_errors(self._url):
            return int(self._connect().get_study_user_attrs(self._study_id)[_N_TRIALS])

    def note_end(self) -> None:
        """Note that the search ended by itself, be it for want of candidates or of gain; until more are asked for."""
        with storage_errors(self._url):
            self._connect().set_study_system_attr(self._study_id, f"{OURS}{_ENDED_WITH}", self.n_trials())

    def has_ended(self) -> bool:
        """Return whether the search ended by itself; of a study of before, whether all trials asked for have."""
        n_trials = self.n_trials()
        with storage_errors(self._url):
            if self._study_attributes().get(_ENDED_WITH) == n_trials:
                return True
        return sum(trial.ended for trial in self.trials()) >= n_trials

    def n_known(self) -> tuple[int, ...] | None:
        """Return how many trials each study before this one had when it began; None of a study of before."""
        with storage_errors(self._url):
            found = self._study_attributes().get(_N_KNOWN)
        return None if found is None else tuple(found)

    # -- trials --------------------------------------------------------------------------------------------------------

    def versions(self) -> dict[str, str]:
        """Return the versions that the study was started with."""
        with storage_errors(self._url):
            loaded: dict[str, str] = json.loads(self._study_attributes()["versions"])
        return loaded

    def _study_attributes(self) -> dict[str, Any]:
        storage = self._connect()
        return attributes_of(
            storage.get_study_user_attrs(self._study_id), storage.get_study_system_attrs(self._study_id)
        )

    def trials(self) -> list[TrialRecord]:
        """Return all trials, by number."""
        with storage_errors(self._url):
            frozen = self._connect().get_all_trials(self._study_id)
            attributes = self._study_attributes()
        self._trial_ids = [trial._trial_id for trial in frozen]
        try:
            return [record_of(trial, attributes.get(f"{_POLISHED}{trial.number}")) for trial in frozen]
        except (KeyError, TypeError, ValueError) as error:
            raise StudyError(
                f"study '{self.name}' holds trials that nas-fpga did not write ({error}); give another --study NAME"
            ) from error

    def add(self, records: Sequence[TrialRecord]) -> None:
        """Write newly proposed trials; their numbers must be the next ones."""
        from optuna.trial import TrialState as OptunaState
        from optuna.trial import create_trial

        assert [record.number for record in records] == [len(self._trial_ids) + i for i in range(len(records))]
        trials = []
        for record in records:
            candidate = record.candidate
            params, distributions = parameters_of(candidate, self._searched)
            trial = create_trial(
                state=OptunaState.WAITING,
                params=params,
                distributions=distributions,
                user_attrs={
                    **shown_of_candidate(candidate),
                    "seed": record.seed,
                    "generation": record.generation,
                    "proposed by": record.proposed_by,
                },
                system_attrs={f"{OURS}candidate": json.dumps(to_json(candidate))},
            )
            trials.append(trial)
        storage = self._connect()
        with storage_errors(self._url):  # each a transaction, which Optuna tries again where another holds a lock
            for trial in trials:
                self._trial_ids.append(storage.create_new_trial(self._study_id, template_trial=trial))

    def mark(self, number: int, state: TrialState) -> None:
        """Note that a trial runs, or waits again."""
        from optuna.trial import TrialState as OptunaState

        with storage_errors(self._url):
            optuna_state = {"running": OptunaState.RUNNING, "waiting": OptunaState.WAITING}[state]
            self._connect().set_trial_state_values(self._trial_ids[number], optuna_state)

    def end(self, record: TrialRecord, target: Target) -> None:
        """Write what came of a trial, all of it or, where this fails, nothing."""
        from optuna.trial import TrialState as OptunaState

        trial_id, storage = self._trial_ids[record.number], self._connect()
        ours = {"outcome": json.dumps(to_json(record.outcome)), "versions": json.dumps(versions())}

        def write() -> None:
            for name, text in ours.items():
                for key, piece in pieces(name, text):
                    storage.set_trial_system_attr(trial_id, key, piece)
            for name, value in shown_of_ended(record, target, self._merit).items():
                storage.set_trial_user_attr(trial_id, name, value)
            if record.state == "failed":
                storage.set_trial_state_values(trial_id, OptunaState.FAIL)
                return
            primary = record.primary(target)
            assert primary is not None  # a trial without points has failed
            figures = primary.mapped.figures
            excess = as_told(max(figures.shares(target).values()), target) - 1
            storage.set_trial_system_attr(trial_id, _CONSTRAINTS, [excess])
            storage.set_trial_state_values(trial_id, OptunaState.COMPLETE, [primary.error, figures.share(target)])

        with storage_errors(self._url):
            in_one_transaction(storage, write)

    def add_polished(self, record: TrialRecord) -> None:
        """Write what polishing a trial added. Optuna lets nobody add to an ended trial: it stands with the study."""
        text, storage = json.dumps(to_json(record.polished)), self._connect()

        def write() -> None:
            for key, piece in pieces(f"{_POLISHED}{record.number}", text):
                storage.set_study_system_attr(self._study_id, key, piece)

        with storage_errors(self._url):
            in_one_transaction(storage, write)

    # -- checkpoints and scores ----------------------------------------------------------------------------------------

    def _trial_folder(self, number: int) -> Path:
        return self.folder / "trials" / f"{number:05d}"

    def save_networks(
        self, number: int, networks: Sequence[QuantizedNetwork], scores: Sequence[NDArray[np.float64]], first: int = 0
    ) -> None:
        """Write a trial's networks and their validation scores (raw logits).

        Args:
            number: Of the trial.
            networks: To write.
            scores: Of each, `(n_validation, n_outputs)`.
            first: Index of the first of them among the trial's.
        """
        folder = self._trial_folder(number)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for k, (network, logits) in enumerate(zip(networks, scores, strict=True), first):
                network.save(folder / f"network_{k}.npz")
                in_one_step(folder / f"validation_scores_{k}.npy", partial(_write_scores, logits))
        except OSError as error:
            raise StudyError(
                f"checkpoint in {folder} cannot be written ({error.strerror}); make room, then --resume"
            ) from (error)

    def load_network(self, record: TrialRecord, index: int) -> QuantizedNetwork:
        """Return one network of a trial.

        Raises:
            StudyError: Its checkpoint is gone or damaged; names the points that it had.
        """
        try:
            network = QuantizedNetwork.load(self._trial_folder(record.number) / f"network_{index}.npz")
        except StudyError as error:
            points = ", ".join(point.name for point in record.points if point.network == index)
            raise StudyError(f"point {points} cannot be mapped or exported: {error}") from error
        return replace(network, candidate=replace(network.candidate, settings=record.candidate.settings))

    def load_scores(self, record: TrialRecord, index: int, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the validation logits of one network of a trial, `(n_validation, n_outputs)`.

        Where what was written of them cannot be read, the network computes them again.

        Args:
            record: Of the trial.
            index: Of the network among the trial's.
            features: `(n_validation, d)` that they are of.

        Raises:
            StudyError: The network's checkpoint is gone or damaged too.
        """
        path = self._trial_folder(record.number) / f"validation_scores_{index}.npy"
        with suppress(Exception):  # the parser lets through whatever damaged bytes provoke in it
            loaded: NDArray[np.float32] = np.load(path, allow_pickle=False)
            if loaded.ndim == 2 and len(loaded) == len(features) and np.isfinite(loaded).all():
                return loaded.astype(np.float64)
        return self.load_network(record, index).logits(features).astype(np.float32).astype(np.float64)


def _write_scores(logits: NDArray[np.float64], path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, logits.astype(np.float32))
        file.flush()
        os.fsync(file.fileno())

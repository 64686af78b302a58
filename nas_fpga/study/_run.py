"""Starts, continues and reads studies: what the command line and notebooks call."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from nas_fpga._files import write_whole
from nas_fpga.data import Dataset
from nas_fpga.errors import InputError, StudyError
from nas_fpga.execution import LocalWorkers
from nas_fpga.hardware import MOST_MAPPINGS, ladder_of_mappings
from nas_fpga.samplers import Observation
from nas_fpga.space import Candidate
from nas_fpga.study._definition import DATASET_FILE, SearchDefinition
from nas_fpga.study._folders import held_by
from nas_fpga.study._known import known_before
from nas_fpga.study._options import DEFAULT_TRIALS, apply_options, with_implied
from nas_fpga.study._outcome import StudyOutcome, refuse_loss_of_all, summarise, summarise_ended
from nas_fpga.study._records import Point, TrialRecord
from nas_fpga.study._search import Reporter, Search, SearchInterruptedError
from nas_fpga.study._setup import Setup, load_data
from nas_fpga.study._storage import LEFT_OVER, LOCK, StudyStorage
from nas_fpga.study._versions import differences

_FIRST_OF_OTHERS = 1000  # beyond all points of a trial: 16 networks, at most, of 12 mappings


@dataclass(frozen=True, eq=False)
class SearchRun:
    """A search about to run: everything checked, nothing trained yet.

    Attributes:
        setup: The rooms.
        folder: ``runs/NAME``.
        storage_url: Optuna storage, None for SQLite in the folder.
        n_trials: How many trials the study shall have.
        resume: Whether the study is there already.
    """

    setup: Setup
    folder: Path
    storage_url: str | None
    n_trials: int
    resume: bool

    @classmethod
    def prepare(
        cls,
        folder: Path,
        options: Mapping[str, Any],
        *,
        dataset: Dataset | None = None,
        storage_url: str | None = None,
        resume: bool = False,
    ) -> SearchRun:
        """Check everything that can be checked before the first training.

        Args:
            folder: ``runs/NAME``.
            options: What the user said, by the names of :class:`SearchOptions`, and ``data``, a name or file.
            dataset: The rows, where they lie in no file; the study keeps them.
            storage_url: Optuna storage, None for SQLite in the folder.
            resume: Continue the study in the folder.

        Raises:
            InputError: Anything given cannot be used.
            StudyError: The study cannot be made or continued; or what defines it has changed.
        """
        options = with_implied(options, resume=resume)
        n_trials: int | None = options.pop("trials", None)
        if n_trials is not None and n_trials < 1:
            raise InputError(f"--trials {n_trials} must be at least 1")
        held = held_by(folder, besides=(LOCK, *LEFT_OVER, DATASET_FILE))  # what is left of a start that failed
        with StudyStorage(folder, storage_url) as storage:
            if not resume:
                if storage.exists():
                    raise StudyError(
                        f"study '{folder.name}' exists in {folder.parent}; continue it with --resume or give another "
                        "--study NAME"
                    )
                if held:
                    raise StudyError(f"folder {folder} holds {held}, but no study; give another --study NAME")
                definition = apply_options(SearchDefinition(), options)
                n_trials, n_known = n_trials or DEFAULT_TRIALS, None
            else:
                stored = storage.open(write=False)
                definition = apply_options(stored, options)
                changed = stored.differences(definition)
                if changed:
                    raise StudyError(
                        f"study '{folder.name}' was started with {', '.join(changed)}; leave that out to continue it, "
                        "or start another with --study NAME"
                    )
                n_trials, n_known = n_trials or storage.n_trials(), storage.n_known()
                if n_trials < (n_there := len(storage.trials())):
                    raise StudyError(
                        f"--trials {n_trials} is below the {n_there} that '{folder.name}' has already; ask for more"
                    )
        if dataset is None:
            dataset = load_data(definition.data, folder)
        elif not resume:
            definition = replace(definition, data=replace(definition.data, name=DATASET_FILE))
        fingerprint = dataset.fingerprint()
        if definition.data.fingerprint not in ("", fingerprint):
            raise changed_rows(definition, folder)
        definition = replace(definition, data=replace(definition.data, fingerprint=fingerprint))
        setup = Setup(definition, dataset)
        _ = setup.split, setup.input_format, setup.included, setup.sampler  # refuse what cannot be used before writing
        setup.refuse_few_groups()
        known_before(folder, definition, setup.target, storage_url, n_known)
        return cls(setup, folder, storage_url, n_trials, resume)

    def execute(self, n_workers: int | None, reporter: Reporter, *, verbose: bool = False) -> StudyOutcome:
        """Search, write ``front.csv``, and return the outcome.

        Args:
            n_workers: Training processes; None for the cores.
            reporter: Is told what happens.
            verbose: Whether it is also told what is trained together.

        Raises:
            SearchFailedError: No trial gave a network within the limits.
            SearchInterruptedError: Ctrl-C.
        """
        n_workers = n_workers if n_workers is not None else n_cores()
        if n_workers < 1:
            raise InputError(f"--workers {n_workers} must be at least 1")
        with StudyStorage(self.folder, self.storage_url) as storage:
            if self.resume:
                storage.open(write=True)
                known = self._known(storage.n_known())
            else:
                setup, known = self.setup, self._known(None)
                in_memory = setup.dataset if setup.definition.data.name == DATASET_FILE else None
                names, n_known = (setup.merit_name, setup.resource_name), list(map(len, known))
                storage.create(setup.definition, names, in_memory, self.n_trials, n_known)
            try:
                # One thread: small matrices are fastest so, and sums do not depend on how many cores there are.
                with threadpool_limits(1):
                    return self._search(storage, n_workers, reporter, verbose, list(itertools.chain(*known)))
            except KeyboardInterrupt:
                raise SearchInterruptedError("stopped") from None

    def _known(self, n_known: Sequence[int] | None) -> tuple[tuple[Observation[Candidate], ...], ...]:
        return known_before(self.folder, self.setup.definition, self.setup.target, self.storage_url, n_known)

    def _search(
        self,
        storage: StudyStorage,
        n_workers: int,
        reporter: Reporter,
        verbose: bool,
        known: Sequence[Observation[Candidate]],
    ) -> StudyOutcome:
        setup = self.setup
        storage.set_n_trials(self.n_trials)
        reporter.message(f"{said_of(setup)}\nStudy {self.folder}: {self.n_trials} trials, {n_workers} workers")
        if changed := differences(storage.versions()):
            reporter.message(
                f"The study was started with {'; '.join(changed)}: what is trained from here on may differ from "
                "what an uninterrupted search would have trained"
            )
        if setup.sampler.describe():
            reporter.message(setup.sampler.describe())
        search = Search(setup, storage, self.n_trials, reporter, known=known, verbose=verbose)
        with LocalWorkers(setup.trainer_factory, n_workers, setup.definition.backend) as workers:
            search.run(workers)
        outcome = summarise_ended(setup, storage, message=reporter.message)
        write_whole(storage.folder / "front.csv", outcome.csv())
        return outcome


@dataclass(frozen=True, eq=False)
class MappedTrials:
    """The trials of a study under some limits, with figures of laws; nothing is said of a front.

    Attributes:
        setup: The rooms.
        trials: All trials.
        lost: Points whose checkpoint cannot be read, by name, with the reason; they take no part.
    """

    setup: Setup
    trials: tuple[TrialRecord, ...]
    lost: Mapping[str, str]


def read_trials(folder: Path | str, storage_url: str | None = None, *, data: str | None = None) -> MappedTrials:
    """Map the trained networks of a study, under its own limits. Nothing is trained, and none need be within them.

    Args:
        folder: ``runs/NAME``.
        storage_url: Optuna storage, None for SQLite in the folder.
        data: Where the study's data file lies now, if it was moved.

    Raises:
        StudyError: The study cannot be read, or none of its checkpoints.
    """
    with StudyStorage(Path(folder), storage_url) as storage:
        return _mapped(storage, {}, data)


def read_outcome(
    folder: Path | str,
    storage_url: str | None = None,
    hardware: Mapping[str, Any] | None = None,
    *,
    data: str | None = None,
    message: Callable[[str], None] = lambda _: None,
) -> StudyOutcome:
    """Map the trained networks of a study anew under other limits and return the outcome. Nothing is trained.

    Args:
        folder: ``runs/NAME``.
        storage_url: Optuna storage, None for SQLite in the folder.
        hardware: Fields of :class:`HardwareTarget` that replace the study's, see :meth:`HardwareTarget.with_values`.
        data: Where the study's data file lies now, if it was moved.
        message: Told now and then how far it is, if it takes long.

    A network whose checkpoint cannot be read is left out and named in :attr:`StudyOutcome.lost`.

    Raises:
        StudyError: The study cannot be read, or none of its checkpoints.
        SearchFailedError: No network fits the limits.
    """
    with StudyStorage(Path(folder), storage_url) as storage:
        mapped = _mapped(storage, hardware or {}, data)
        with threadpool_limits(1):
            outcome = summarise(mapped.setup, storage, mapped.trials, message=message)
        return replace(outcome, lost=mapped.lost)


def _mapped(storage: StudyStorage, hardware: Mapping[str, Any], data: str | None) -> MappedTrials:
    """Map all networks of a study that can be read; see :func:`read_outcome`."""
    folder = storage.folder
    definition = storage.open(write=False)
    if data is not None:
        definition = replace(definition, data=replace(definition.data, name=data))
    dataset = load_data(definition.data, folder)
    if dataset.fingerprint() != definition.data.fingerprint:
        raise changed_rows(definition, folder)
    setup = Setup(replace(definition, hardware=definition.hardware.with_values(hardware)), dataset)
    lost: dict[str, str] = {}
    with threadpool_limits(1):
        trials = tuple(_mapped_anew(trial, storage, setup, lost) for trial in storage.trials())
    refuse_loss_of_all(trials, lost, storage.name)
    return MappedTrials(setup, trials, lost)


def _mapped_anew(record: TrialRecord, storage: StudyStorage, setup: Setup, lost: dict[str, str]) -> TrialRecord:
    """Return a trial with the points that its networks have under the setup's target; note those that are lost.

    A name says the same network and mapping under every target. What the search kept has its name from there; what only
    another target keeps is numbered from :data:`_FIRST_OF_OTHERS`, by network and place in the ladder of mappings.
    """
    networks = {point.network: point for point in record.points}
    kept = {(point.network, point.mapped.mapping): point.index for point in record.points}
    points: list[Point] = []
    for index, before in networks.items():
        try:
            network = storage.load_network(record, index)
        except StudyError as error:
            lost |= {point.name: str(error) for point in record.points if point.network == index}
            continue
        ladder = ladder_of_mappings([(layer.n_in, layer.n_out) for layer in network.layers])
        for mapped in setup.estimator.points(network, setup.target):
            place = kept.get((index, mapped.mapping))
            if place is None:
                place = _FIRST_OF_OTHERS + MOST_MAPPINGS * index + ladder.index(mapped.mapping)
            points.append(replace(before, mapped=mapped, topology=network.topology, index=place))
    return record.with_points(points)


def changed_rows(
    definition: SearchDefinition, folder: Path, kind: str = "study", option: str = "--study NAME"
) -> StudyError:
    """Return the error of a study, or of something else that has a folder, whose data are not what they were."""
    return StudyError(
        f"the rows of {definition.data.name} have changed since {kind} '{folder.name}' was started; "
        f"bring the old ones back, or start another with {option}"
    )


def n_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def said_of(setup: Setup) -> str:
    """Return what a search is about to do, for the user: data and what was done to them, rows, space and part."""
    data, split, d = setup.dataset, setup.split, setup.definition
    classes = " / ".join(data.class_names)
    rows = " / ".join(f"{len(split[subset]):,}" for subset in ("train", "validation", "test"))
    background = data.provenance.get("background", data.class_names[0])
    roles = f"signal {data.class_names[1]}, background {background}" if data.n_classes == 2 else classes
    notice = f"{data.name} is {data.provenance['notice']}\n" if "notice" in data.provenance else ""
    repairs = "".join(f"{repair}\n" for repair in data.repairs)
    return (
        f"{repairs}{data.name}: {roles}; {rows} rows to train, validate and test\n{notice}"
        f"{data.features.shape[1]} features: {_some(data.feature_names)}\n"
        f"Space: up to {d.budget} neurons in {_layers(d)}, {_bits(d)}, "
        f"on {setup.target.part.name} at {d.hardware.clock_ns:g} ns{', nothing refused' * setup.target.unlimited}"
        f"{_searched(d)}"
    )


def _layers(d: SearchDefinition) -> str:
    if d.min_layers == 1:
        return f"up to {d.max_layers} layers"
    return f"{d.max_layers} layers" if d.min_layers == d.max_layers else f"{d.min_layers} to {d.max_layers} layers"


def _bits(d: SearchDefinition) -> str:
    if d.learned_bits:
        return "bits learned for every weight and activation"
    return f"weights of {_range(d.weight_bits)} and activations of {_range(d.activation_bits)} bits"


def _searched(definition: SearchDefinition) -> str:
    ranges = definition.searched.ranges
    said = [f"{name.replace('_', ' ')} {low:g} to {high:g}" for name, (low, high) in ranges.items()]
    return f"\nTraining settings searched: {', '.join(said)}" if said else ""


def _some(names: Sequence[str], most: int = 16) -> str:
    return ", ".join(names[:most]) + (f", ... {names[-1]}" if len(names) > most else "")


def _range(bits: tuple[int, int]) -> str:
    return str(bits[0]) if bits[0] == bits[1] else f"{bits[0]} to {bits[1]}"

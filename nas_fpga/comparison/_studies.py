"""Runs several studies of one data set one after the other, in the same worker processes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType

from threadpoolctl import threadpool_limits

from nas_fpga._files import write_whole
from nas_fpga.data import Dataset
from nas_fpga.errors import InputError, SearchFailedError, StudyError
from nas_fpga.execution import LocalWorkers
from nas_fpga.samplers import Observation
from nas_fpga.space import Candidate
from nas_fpga.study import (
    Progress,
    Reporter,
    Search,
    SearchDefinition,
    SearchInterruptedError,
    Setup,
    StudyOutcome,
    StudyStorage,
    TrialRecord,
    differences,
    known_before,
    n_cores,
    summarise_ended,
)


@dataclass(frozen=True)
class PlannedStudy:
    """One study of several.

    Attributes:
        name: Of its folder.
        definition: What it searches.
        n_trials: How many trials it shall have.
        trial_time: How long one of them is expected to take, in a unit that all studies share.
    """

    name: str
    definition: SearchDefinition
    n_trials: int
    trial_time: float = 1.0


@dataclass(frozen=True, eq=False)
class EndedStudy:
    """What came of one study.

    Attributes:
        name: Of its folder.
        setup: The rooms it ran in.
        trials: All of them, ended.
    """

    name: str
    setup: Setup
    trials: tuple[TrialRecord, ...]


class StudyRunner:
    """Runs studies that lie in one folder and share data, split, input format and backend, so their trainers too.

    Each is an ordinary study: it is resumed where it was stopped, and `nas-fpga report` and the like read it. Use as a
    context manager; leaving it ends the workers.

    Args:
        folder: That the studies lie in.
        dataset: Their rows.
        n_workers: Training processes; None for the cores.
        reporter: Is told what happens in all of them together.
    """

    def __init__(self, folder: Path, dataset: Dataset, n_workers: int | None, reporter: Reporter) -> None:
        """See the class."""
        self._folder, self._dataset = folder, dataset
        self._n_workers = n_workers if n_workers is not None else n_cores()
        if self._n_workers < 1:
            raise InputError(f"--workers {self._n_workers} must be at least 1")
        self._overall = _Overall(reporter)
        self._workers: LocalWorkers | None = None

    def __enter__(self) -> StudyRunner:
        """Start nothing yet: studies that have ended need no workers."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the workers."""
        if self._workers is not None:
            self._workers.__exit__()

    def expect(self, studies: Iterable[PlannedStudy], more: int = 0) -> None:
        """Count studies that will be run, for progress and the time left.

        Args:
            studies: Those that are planned now.
            more: Trials, at most, of those that only the results of these will plan.
        """
        self._overall.expect(studies, more)

    def setup(self, planned: PlannedStudy) -> Setup:
        """Return the rooms of a study, everything checked that can be checked before a training.

        Raises:
            InputError: Something cannot be used.
        """
        setup = Setup(planned.definition, self._dataset)
        _ = setup.split, setup.input_format, setup.included, setup.sampler
        return setup

    def run(self, planned: PlannedStudy) -> EndedStudy:
        """Run a study, or what is left of it. Must be among those expected.

        Raises:
            StudyError: It is there with another definition, or cannot be written.
            SearchInterruptedError: Ctrl-C.
        """
        ended, _ = self._run(planned, summarised=False)
        return ended

    def run_and_summarise(self, planned: PlannedStudy) -> tuple[EndedStudy, StudyOutcome | None]:
        """Run a study like :meth:`run`, write its ``front.csv`` and return its outcome too; None where nothing fits.

        Its trials have the figures that its front is judged by.
        """
        return self._run(planned, summarised=True)

    def _run(self, planned: PlannedStudy, *, summarised: bool) -> tuple[EndedStudy, StudyOutcome | None]:
        overall, folder, outcome = self._overall, self._folder / planned.name, None
        try:
            setup = self.setup(planned)
            with StudyStorage(folder) as storage, threadpool_limits(1):
                known = self._open(storage, planned, setup)
                overall.begin(planned)
                if said := setup.sampler.describe():
                    overall.message(said)
                try:  # where one search finds nothing, the others may still have something to say
                    if not self._is_finished(planned, storage.trials()):
                        Search(setup, storage, planned.n_trials, overall, known=known).run(self._started(setup))
                    if summarised:
                        outcome = summarise_ended(setup, storage, message=overall.message)
                        for reason in dict.fromkeys(outcome.lost.values()):
                            overall.message(f"{planned.name}: left out: {reason}")
                        write_whole(storage.folder / "front.csv", outcome.csv())
                except SearchFailedError as error:
                    overall.message(f"{planned.name}: {error}")
                trials = outcome.trials if outcome is not None else tuple(storage.trials())
                overall.end(len(trials), sum(trial.state == "failed" for trial in trials))
        except (KeyboardInterrupt, SearchInterruptedError):
            raise SearchInterruptedError(f"stopped in {planned.name}; {overall.saved}") from None
        except StudyError as error:  # these studies are named by what they belong to
            raise StudyError(str(error).replace("--study NAME", "--name")) from error
        return EndedStudy(planned.name, setup, trials), outcome

    def _open(self, storage: StudyStorage, planned: PlannedStudy, setup: Setup) -> list[Observation[Candidate]]:
        """Make or open a study; return what it knows before its first trial."""
        before = partial(known_before, storage.folder, planned.definition, setup.target)
        if not storage.exists():
            names, known = (setup.merit_name, setup.resource_name), before()
            storage.create(planned.definition, names, n_trials=planned.n_trials, n_known=list(map(len, known)))
        else:
            stored = storage.open(write=True)
            if changed := stored.differences(planned.definition):
                raise StudyError(
                    f"study '{planned.name}' in {self._folder} was started with {', '.join(changed)}; "
                    "give another --name"
                )
            if changed := differences(storage.versions()):
                self._overall.message(f"{planned.name} was started with {'; '.join(changed)}")
            known = before(n_known=storage.n_known())
        storage.set_n_trials(planned.n_trials)
        return list(itertools.chain(*known))

    def _is_finished(self, planned: PlannedStudy, trials: Sequence[TrialRecord]) -> bool:
        """Tell whether nothing is left to train; what is left to polish only the search knows."""
        all_ended = len(trials) >= planned.n_trials and all(trial.ended for trial in trials)
        return all_ended and planned.definition.polish == 0

    def _started(self, setup: Setup) -> LocalWorkers:
        if self._workers is None:
            workers = LocalWorkers(setup.trainer_factory, self._n_workers, setup.definition.backend)
            self._workers = workers.__enter__()
        return self._workers


class _Overall:
    """Tells a reporter of one study how far all of them are, and how many trials of all failed.

    The time left is what the study that runs says of itself, and that of those to come at the pace so far; both include
    polishing, the second as much of it as there has been.
    """

    def __init__(self, reporter: Reporter, clock: Callable[[], float] = time.perf_counter) -> None:
        self._reporter, self._clock, self._started = reporter, clock, clock()
        self._to_come: list[PlannedStudy] = []
        self._more = 0  # trials, at most, of studies that are not planned yet
        self._before, self._failed_before = 0, 0  # ended, and failed, in the studies before this one
        self._now, self._of_now = 0, 0  # ended in this one, and how many it has
        self._trial_time = 1.0  # of this one
        self._here, self._time_here = 0, 0.0  # ended since this process started, and their times

    @property
    def n_trials(self) -> int:
        return self._before + self._of_now + sum(study.n_trials for study in self._to_come) + self._more

    @property
    def saved(self) -> str:
        return f"{self._before + self._now} of {self.n_trials} trials are saved"

    def expect(self, studies: Iterable[PlannedStudy], more: int) -> None:
        self._to_come += studies
        self._more = more

    def begin(self, planned: PlannedStudy) -> None:
        self._to_come = [study for study in self._to_come if study.name != planned.name]
        self._now, self._of_now, self._trial_time = 0, planned.n_trials, planned.trial_time
        self.message(f"{planned.name}: {planned.n_trials} trials")

    def end(self, n_ended: int, n_failed: int) -> None:
        """Note how many trials the study that ran has: a space may have fewer than were planned."""
        self._before += n_ended
        self._failed_before += n_failed
        self._now = self._of_now = 0

    def message(self, text: str) -> None:
        self._reporter.message(text)

    def update(self, progress: Progress, ended: TrialRecord | None) -> None:
        self._now, self._of_now = progress.n_ended, progress.n_trials
        if ended is not None:
            self._here += 1
            self._time_here += self._trial_time
        elapsed = self._clock() - self._started
        self._reporter.update(
            replace(
                progress,
                n_trials=self.n_trials,
                n_ended=self._before + self._now,
                n_failed=self._failed_before + progress.n_failed,
                candidates_per_hour=3600 * self._here / elapsed if self._here else None,
                remaining_s=self._left_s(progress, elapsed / self._time_here) if self._here else None,
            ),
            ended,
        )

    def _left_s(self, progress: Progress, pace: float) -> float:
        """Return the seconds left where a unit of the trials' time has taken ``pace`` seconds."""
        to_come = pace * (sum(study.n_trials * study.trial_time for study in self._to_come) + self._more)
        if progress.remaining_s is not None:
            return progress.remaining_s + to_come
        return pace * self._trial_time * (self._of_now - self._now) + to_come

"""The search: ask, train, cost, write down, again."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from nas_fpga._interrupt import noted_interrupt
from nas_fpga.errors import NasFpgaError, SearchFailedError, StudyError
from nas_fpga.execution import LocalWorkers
from nas_fpga.hardware import as_told, log10_share
from nas_fpga.samplers import Observation, hypervolume
from nas_fpga.space import Candidate, SpaceExhausted
from nas_fpga.study._gain import has_gained
from nas_fpga.study._known import observation_of
from nas_fpga.study._polish import n_ended_from_first, rounds, to_polish
from nas_fpga.study._records import Outcome, Point, ProposedBy, TrialRecord
from nas_fpga.study._setup import Setup
from nas_fpga.study._storage import StudyStorage
from nas_fpga.training import (
    Pack,
    TrainingFailure,
    TrainingJob,
    TrainingResult,
    plan,
    polish_candidate,
    polish_epochs,
)

_POLL_S = 0.25


@dataclass(frozen=True)
class Progress:
    """How far a search is.

    Attributes:
        n_trials: Trials asked for, or that the space has.
        n_ended: Trials that ended, failed ones included.
        n_failed: Of these, failed.
        n_polished: Networks of the front whose polishing has ended, or failed.
        n_to_polish: How many have been chosen for it so far.
        best: Feasible point of best figure of merit so far.
        hypervolume: Of the feasible points so far.
        candidates_per_hour: Trials since this process started; None before the first one ended.
        remaining_s: Expected, for the trials and for what has been chosen to be polished; None likewise.
    """

    n_trials: int
    n_ended: int
    n_failed: int
    n_polished: int
    n_to_polish: int
    best: Point | None
    hypervolume: float
    candidates_per_hour: float | None
    remaining_s: float | None


class Reporter(Protocol):
    """Is told what happens; shows it or not."""

    def message(self, text: str) -> None:
        """Say something once."""

    def update(self, progress: Progress, ended: TrialRecord | None) -> None:
        """Note progress, and the trial that ended if one did."""


class SearchInterruptedError(NasFpgaError):
    """The user stopped the search; everything that ended is saved. Who called it says how to go on."""

    exit_code = 130


class Search:
    """Runs one study up to a number of trials.

    Candidates come in generations of fixed size. A generation is proposed when all generations before the previous one
    have ended; the previous one is pending. So the workers have work while the slowest trial of a generation ends, and
    what is proposed still does not depend on how many workers there are.

    Args:
        setup: The rooms.
        storage: An open study.
        n_trials: How many trials the study shall have.
        reporter: Is told what happens.
        known: Trials of other studies that the sampler knows before the first of this one.
        verbose: Whether it is also told what is trained together.
    """

    def __init__(
        self,
        setup: Setup,
        storage: StudyStorage,
        n_trials: int,
        reporter: Reporter,
        *,
        known: Sequence[Observation[Candidate]] = (),
        verbose: bool = False,
    ) -> None:
        """See the class."""
        self.setup, self.storage, self.n_trials = setup, storage, n_trials
        self.reporter, self.known, self.verbose = reporter, known, verbose
        self.records = storage.trials()
        self._observations: dict[int, Observation[Candidate]] = {}
        self._on_axes: dict[tuple[int, int], tuple[Point, float, float]] = {}  # of feasible networks: log10 both
        self._polishing: list[int] = []  # numbers of the trials, of all rounds so far
        self._n_rounds = 0
        self._exhausted = False
        self._n_ended_before = sum(record.ended for record in self.records)
        self._n_polished_here = 0
        rows = setup.split.validation
        self._validation_features = setup.dataset.features[rows]

    def run(self, workers: LocalWorkers) -> None:
        """Train until all trials have ended.

        Raises:
            SearchFailedError: All trials failed, or the studies before this one left none.
            SearchInterruptedError: Ctrl-C.
        """
        self._started = time.perf_counter()
        for record in self.records:
            if record.state == "running":  # a process that was killed had it
                self._set(replace(record, state="waiting"))
                self.storage.mark(record.number, "waiting")
            elif record.ended:
                self._observe(record)
        try:
            with noted_interrupt() as interrupt:
                self._loop(workers, interrupt)
                self.storage.note_end()
        except KeyboardInterrupt:
            for record in self.records:
                if record.state == "running":
                    self.storage.mark(record.number, "waiting")
            n = sum(record.ended for record in self.records)
            polished = f", {self._n_polished} of {len(self._polishing)} networks polished" if self._polishing else ""
            raise SearchInterruptedError(f"stopped; {n} of {self.n_trials} trials are saved{polished}") from None

    def _refuse_failure_of_all(self) -> None:
        if all(record.state == "failed" for record in self.records):
            causes = {record.outcome.cause for record in self.records}
            raise SearchFailedError(
                f"all {len(self.records)} trials failed; the first cause: {sorted(map(str, causes))[0]}"
            )

    def _loop(self, workers: LocalWorkers, interrupt: threading.Event) -> None:
        self._propose()
        queue = deque(self._plan([record for record in self.records if record.state == "waiting"]))
        queue.extend(self._packs(self._polish_jobs()))
        self._report(None)
        for result in self._results(queue, workers, interrupt):
            ended = None
            if result.job.start is None:
                ended = self._end(result)
            else:
                self._end_polish(result)
            queue.extend(self._plan(self._propose()))
            queue.extend(self._packs(self._polish_jobs()))
            self._report(ended)
        self._refuse_failure_of_all()
        self._say_what_is_not_polished()

    def _results(
        self, queue: deque[Pack], workers: LocalWorkers, interrupt: threading.Event
    ) -> Iterator[TrainingResult | TrainingFailure]:
        """Train what is in the queue, which may grow meanwhile, and yield what comes of it."""
        while queue or workers.n_busy:
            if interrupt.is_set():
                raise KeyboardInterrupt
            self._submit(queue, workers)
            for result in workers.results(_POLL_S):
                self._submit(queue, workers)  # before the result is judged and written, which takes a while
                yield result

    def _submit(self, queue: deque[Pack], workers: LocalWorkers) -> None:
        """Give idle workers what is next in the queue."""
        while queue and workers.n_idle:
            pack = queue.popleft()
            for job in pack.jobs:
                if job.start is None:
                    self.storage.mark(job.number, "running")
                    self._set(replace(self.records[job.number], state="running"))
            workers.submit(pack.jobs)

    def _plan(self, records: Sequence[TrialRecord]) -> list[Pack]:
        """Return the packs that the trials are trained in: generation by generation, in each the dearest first."""
        packs: list[Pack] = []
        for _, generation in itertools.groupby(records, key=lambda record: record.generation):
            jobs = [TrainingJob(record.number, record.candidate, record.seed) for record in generation]
            packs += self._packs(jobs)
        return packs

    def _packs(self, jobs: Sequence[TrainingJob]) -> tuple[Pack, ...]:
        data = self.setup.dataset
        shape = data.features.shape[1], data.n_outputs, len(self.setup.split.train)
        shared = self.setup.definition.backend == "jax"  # programs, by candidates of one bucket
        packs = plan(jobs, *shape) if shared else plan(jobs, *shape, most=1)
        if self.verbose:
            for pack in packs:
                self.reporter.message(f"Planned{' to polish' * (pack.jobs[0].start is not None)}: {pack}")
        return packs

    # -- proposing -----------------------------------------------------------------------------------------------------

    def _first_place(self, generation: int) -> int:
        """Return the number of the first trial of a generation. What the user included is the generation before all."""
        n_included = len(self.setup.included)
        size = self.setup.definition.generation
        if n_included == 0:
            return generation * size
        return 0 if generation == 0 else n_included + (generation - 1) * size

    def _propose(self) -> list[TrialRecord]:
        """Propose as many generations as may be proposed now; return the new trials."""
        new: list[TrialRecord] = []
        while len(self.records) < self.n_trials and not self._exhausted:
            generation = self.records[-1].generation if self.records else 0
            if self.records and len(self.records) == self._first_place(generation + 1):
                generation += 1
            first, before = self._first_place(generation), self._first_place(max(generation - 1, 0))
            if not all(record.ended for record in self.records[:before]):
                break
            if self._is_at_its_end(before):
                break
            candidates = self._candidates(generation, before, first)
            done = len(self.records) - first  # a shorter run may have stopped within this generation
            records = [
                TrialRecord(place, candidate, self._seed(place), generation, self._proposed_by(generation, place))
                for place, candidate in enumerate(candidates, start=first)
            ][done : self.n_trials - first]
            self.storage.add(records)
            self.records += records
            new += records
        return new

    def _is_at_its_end(self, before: int) -> bool:
        """Tell, and say, whether the last of the first ``before`` trials gained nothing, the random start left out."""
        patience = self.setup.definition.trial_patience
        if patience is None or before < patience:  # what others trained shows no loss of patience here
            return False
        if len(self.known) + before - patience < self.setup.sampler.n_startup:
            return False
        goal, observed = self.setup.definition.goal, [self._observations[number] for number in range(before)]
        if has_gained(goal, [*self.known, *observed[:-patience]], observed[-patience:]):
            return False
        self._exhausted = True
        self.reporter.message(f"The last {patience} of {before} trials gained nothing: no more are proposed.")
        return True

    def _candidates(self, generation: int, before: int, first: int) -> Sequence[Candidate]:
        if generation == 0 and self.setup.included:
            return self.setup.included
        history = [*self.known, *(self._observations[number] for number in range(before))]
        pending = [record.candidate for record in self.records[before:first]]
        wanted = self.setup.definition.generation
        known = {*(each.candidate for each in history), *pending}
        try:
            proposed = list(self.setup.sampler.ask(history, pending, wanted) or [])
        except SpaceExhausted as error:
            self._exhausted = True
            remaining = self._sound(error.remaining, known)
            if (n := first + len(remaining)) == 0:
                after = ", ".join(self.setup.definition.after)
                had = f"{after} had it all" if after else "the sampler has no candidate"
                raise SearchFailedError(f"nothing is left to train: {had}; widen space or grid") from None
            self.reporter.message(f"The space is exhausted: no more than {n} candidates can be trained.")
            return remaining
        if len(proposed) != wanted:
            raise self._broken(f"{len(proposed)} candidates in place of {wanted}")
        return self._sound(proposed, known)

    def _sound(self, proposed: Sequence[Candidate], known: set[Candidate]) -> list[Candidate]:
        """Return proposals in plain numbers; ours are tested to be sound, those of a sampler of one's own may not be.

        Raises:
            StudyError: A candidate is outside the space, or known.
        """
        known = set(known)
        for candidate in proposed:
            if candidate not in self.setup.space:
                raise self._broken(f"{candidate}, which is outside the space")
            if candidate in known:
                raise self._broken(f"{candidate} a second time")
            known.add(candidate)
        return self.setup.space.candidates(self.setup.space.rows(proposed))

    def _broken(self, what: str) -> StudyError:
        name = self.setup.definition.sampler
        return StudyError(f"sampler {name} proposed {what}; test it with nas_fpga.testing.SamplerConformance")

    def _seed(self, *place: int) -> int:
        return int(np.random.SeedSequence([self.setup.definition.seed, *place]).generate_state(1)[0])

    def _proposed_by(self, generation: int, place: int) -> ProposedBy:
        if generation == 0 and self.setup.included:
            return "included"
        return "random start" if len(self.known) + place < self.setup.sampler.n_startup else "sampler"

    # -- ending --------------------------------------------------------------------------------------------------------

    def _end(self, result: TrainingResult | TrainingFailure) -> TrialRecord:
        record = self.records[result.job.number]
        if isinstance(result, TrainingFailure):
            outcome = Outcome(cause=result.cause, traceback=result.details or None, duration_s=result.duration_s)
            ended = replace(record, state="failed", outcome=outcome)
        else:
            ended = self._complete(record, result)
        self.storage.end(ended, self.setup.target)
        self._set(ended)
        self._observe(ended)
        return ended

    def _complete(self, record: TrialRecord, result: TrainingResult) -> TrialRecord:
        outcome = Outcome(self._points(record, result), result.curve, result.duration_s)
        return replace(record, state="complete", outcome=outcome)

    def _points(self, record: TrialRecord, result: TrainingResult) -> tuple[Point, ...]:
        """Judge, cost and save the networks of a training, which come after those that the trial has.

        Networks whose output never changes, which learned bits can end in, are left out, but for the only one that a
        trial has.
        """
        before = len(record.points)
        first = 1 + max((point.network for point in record.points), default=-1)
        polished = result.job.start is not None
        networks = list(result.networks)
        logits = [network.logits(self._validation_features) for network in networks]
        for k in reversed(range(len(networks))):
            if (len(networks) > 1 or polished) and not np.ptp(logits[k], axis=0).any():
                del networks[k], logits[k]
        points: list[Point] = []
        for k, (network, values) in enumerate(zip(networks, logits, strict=True), first):
            merits = self.setup.evaluate(values, "validation")
            for mapped in self.setup.estimator.points(network, self.setup.target):
                name = record.number, before + len(points), k
                points.append(Point(*name, mapped, merits, network.topology, polished))
        self.storage.save_networks(record.number, networks, logits, first)
        return tuple(points)

    def _set(self, record: TrialRecord) -> None:
        self.records[record.number] = record

    def _observe(self, record: TrialRecord) -> None:
        """Tell the sampler's history of an ended trial, and note where its networks lie."""
        target = self.setup.target
        self._observations[record.number] = observation_of(record, target)
        for one in record.of_networks(target):
            if one.mapped.figures.is_feasible(target):
                place = one.merits.log10_error, log10_share(as_told(one.mapped.figures.share(target), target))
                self._on_axes[record.number, one.network] = (one, *place)

    # -- polishing -----------------------------------------------------------------------------------------------------

    def _polish_jobs(self) -> list[TrainingJob]:
        """Return what is to be polished since trials have ended; what was polished before a crash stays."""
        definition, n_ended = self.setup.definition, n_ended_from_first(self.records)
        if definition.polish == 0 or definition.backend != "jax":
            return []
        all_ended = n_ended == len(self.records) and (self._exhausted or n_ended == self.n_trials)
        jobs = []
        for end in rounds(n_ended, all_ended=all_ended)[self._n_rounds :]:
            self._n_rounds += 1
            for record, point in to_polish(self.records[:end], self.setup.target, definition.polish, self._polishing):
                self._polishing.append(record.number)
                if record.polished is None:
                    jobs += self._polish_job(record, point)
        if jobs and len(self._polishing) == len(jobs):
            self.reporter.message("The best of the front are polished as it grows: trained on with learned bits")
        return jobs

    def _polish_job(self, record: TrialRecord, point: Point) -> list[TrainingJob]:
        """Return the job that polishes a network; none where its checkpoint is lost, which is noted."""
        try:
            network = self.storage.load_network(record, point.network).pruned()
        except StudyError as error:
            self._note_polish(record, Outcome(cause=str(error)))
            return []
        candidate = polish_candidate(network, record.candidate.settings)
        return [TrainingJob(record.number, candidate, self._seed(record.number, 1), network)]

    def _end_polish(self, result: TrainingResult | TrainingFailure) -> None:
        record = self.records[result.job.number]
        self._n_polished_here += 1
        if isinstance(result, TrainingFailure):
            outcome = Outcome(cause=result.cause, traceback=result.details or None, duration_s=result.duration_s)
        else:
            outcome = Outcome(self._points(record, result), result.curve, result.duration_s)
        self._note_polish(record, outcome)

    def _note_polish(self, record: TrialRecord, outcome: Outcome) -> None:
        if outcome.cause is not None:
            self.reporter.message(f"polishing trial {record.number} ({record.candidate}) failed: {outcome.cause}")
        record = replace(record, polished=outcome)
        self.storage.add_polished(record)
        self._set(record)
        self._observe(record)

    def _say_what_is_not_polished(self) -> None:
        definition = self.setup.definition
        if definition.polish == 0 or self._polishing or not self._on_axes:  # none keeps the limits: that is said
            return
        if definition.backend != "jax":
            self.reporter.message(f"Nothing is polished: bits are learned on JAX, not {definition.backend}")
            return
        curves = [record.outcome.curve for record in self.records if record.outcome.curve is not None]
        n_epochs = sum(len(curve.train_loss) for curve in curves)
        least = min(polish_epochs(record.candidate.settings) for record in self.records)
        self.reporter.message(
            f"Nothing is polished: --polish {definition.polish:g} of the {n_epochs} epochs trained are fewer than "
            f"the {least} that a network takes"
        )

    @property
    def _n_polished(self) -> int:
        return sum(self.records[number].polished is not None for number in self._polishing)

    def _report(self, ended: TrialRecord | None) -> None:
        done = [record for record in self.records if record.ended]
        n_polished = self._n_polished
        points, *logs = zip(*self._on_axes.values(), strict=True) if self._on_axes else ((), (), ())
        elapsed = time.perf_counter() - self._started
        n_trials = len(self.records) if self._exhausted else self.n_trials
        n_trials_here = len(done) - self._n_ended_before
        n_here = n_trials_here + self._n_polished_here
        n_left = n_trials - len(done) + len(self._polishing) - n_polished
        self.reporter.update(
            Progress(
                n_trials=n_trials,
                n_ended=len(done),
                n_failed=sum(record.state == "failed" for record in done),
                n_polished=n_polished,
                n_to_polish=len(self._polishing),
                best=min(points, key=lambda point: point.error, default=None),
                hypervolume=hypervolume(*map(np.array, logs)) if points else 0.0,
                candidates_per_hour=3600 * n_trials_here / elapsed if n_trials_here else None,
                remaining_s=n_left * elapsed / n_here if n_here else None,
            ),
            ended,
        )

"""One search for each of several budgets, each starting from what smaller ones learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nas_fpga.comparison._outcome import to_csv
from nas_fpga.comparison._saved import kept_from_others, read_definition, refuse_used
from nas_fpga.comparison._studies import EndedStudy, PlannedStudy, StudyRunner
from nas_fpga.data import Dataset
from nas_fpga.errors import InputError, SearchFailedError, StudyError
from nas_fpga.study import (
    FrontRow,
    Reporter,
    SearchDefinition,
    Setup,
    StudyOutcome,
    apply_options,
    changed_rows,
    load_data,
    said_of,
    with_implied,
)

FILE = "sweep.json"
DEFAULT_BUDGETS = (10, 20, 50, 100, 200, 500, 1000, 2000)
DEFAULT_TRIALS = 40
_SAMPLE = 100  # candidates, for the time that those of a budget take
_NOT_SWEPT = ("budget", "include", "after")


@dataclass(frozen=True)
class SweepDefinition:
    """Everything that a sweep depends on.

    Attributes:
        base: What all searches share; its depth is the most of any budget that has so many neurons.
        budgets: Most hidden neurons of each search, ascending.
        n_trials: Trials of each.
    """

    base: SearchDefinition
    budgets: tuple[int, ...] = DEFAULT_BUDGETS
    n_trials: int = DEFAULT_TRIALS

    def __post_init__(self) -> None:
        """Refuse budgets that are none."""
        text = ",".join(map(str, self.budgets))
        if not self.budgets or list(self.budgets) != sorted(set(self.budgets)) or self.budgets[0] < 1:
            raise InputError(f"--budgets {text} must be numbers of neurons from 1, ascending, such as 10,20,50")
        if self.budgets[0] < self.base.min_layers:
            raise InputError(
                f"--budgets {text} begin below --min-layers {self.base.min_layers}; leave the small ones out"
            )
        if self.n_trials < 1:
            raise InputError(f"--trials {self.n_trials} must be at least 1")

    def searches(self) -> tuple[PlannedStudy, ...]:
        """Return the studies, smallest budget first; each knows the trials of those before."""
        names = [f"budget-{budget}" for budget in self.budgets]
        return tuple(
            PlannedStudy(
                names[i],
                replace(
                    self.base,
                    budget=budget,
                    max_layers=min(self.base.max_layers, budget),
                    after=tuple(names[:i]),
                ),
                self.n_trials,
            )
            for i, budget in enumerate(self.budgets)
        )


@dataclass(frozen=True, eq=False)
class BudgetResult:
    """The most precise network that a budget allows, of all that were trained.

    Attributes:
        budget: Most hidden neurons.
        study: The search with that budget.
        row: The network, by its validation error among the fronts of this budget and all smaller ones.
        outcome: Of the study that it is from.
        found_at: Budget of that study.
    """

    budget: int
    study: EndedStudy
    row: FrontRow
    outcome: StudyOutcome
    found_at: int

    @property
    def topology(self) -> tuple[int, ...]:
        """Widths of its hidden layers."""
        return self.row.trial.topology_of(self.row.point)

    @property
    def n_used(self) -> int:
        """Hidden neurons that it has."""
        return sum(self.topology)

    @property
    def luts(self) -> float:
        """LUTs of all its copies."""
        return self.row.point.mapped.figures.total("lut")


@dataclass(frozen=True, eq=False)
class Sweep:
    """What a sweep comes to.

    Attributes:
        folder: Where it lies, with a study for every budget.
        definition: What was swept.
        results: One for each budget from the first that has a network within the limits.
        studies: The searches, smallest budget first.
    """

    folder: Path
    definition: SweepDefinition
    results: tuple[BudgetResult, ...]
    studies: tuple[EndedStudy, ...]

    @property
    def setup(self) -> Setup:
        """The rooms of the last search; data, split and limits are those of all."""
        return self.studies[-1].setup

    def records(self) -> list[dict[str, Any]]:
        """Return one row of plain values for each budget: all figures that ``front.csv`` has of the network."""
        return [
            {
                "budget": result.budget,
                "found_at": result.found_at,
                "neurons_used": result.n_used,
                "layers": len(result.topology),
                "lut_all_copies": result.luts,
                **result.outcome.record(result.row),
            }
            for result in self.results
        ]

    def csv(self) -> str:
        """Return :meth:`records` as CSV."""
        return to_csv(self.records())

    def summary(self) -> dict[str, Any]:
        """Return what the sweep comes to as plain values."""
        return {
            "sweep": self.folder.name,
            "data": self.setup.dataset.name,
            "merit": self.setup.merit_name,
            "trials": {study.name: len(study.trials) for study in self.studies},
            "budgets": self.records(),
        }


@dataclass(frozen=True, eq=False)
class SweepRun:
    """A sweep about to run: everything checked, nothing trained yet.

    Attributes:
        folder: ``runs/NAME``, with a study for every budget.
        definition: What is swept.
        dataset: The rows.
        resume: Whether it is there already.
    """

    folder: Path
    definition: SweepDefinition
    dataset: Dataset
    resume: bool = False

    @classmethod
    def prepare(
        cls,
        folder: Path,
        options: Mapping[str, Any],
        *,
        budgets: Sequence[int] | None = None,
        resume: bool = False,
    ) -> SweepRun:
        """Check everything that can be checked before the first training.

        Args:
            folder: ``runs/NAME``.
            options: Of all searches, by the names of :class:`nas_fpga.study.SearchOptions`, and ``data``; ``trials`` is
                how many each search has.
            budgets: Ascending; default 10 to 2,000.
            resume: Continue the sweep in the folder; then larger budgets may be added.

        Raises:
            InputError: Anything given cannot be used.
            StudyError: The sweep cannot be made or continued.
        """
        for name in _NOT_SWEPT:
            if name in options:
                raise InputError(f"--{name} is not for a sweep; leave it out" + ", give --budgets" * (name == "budget"))
        if resume:
            definition = _continued(folder, options, budgets)
        else:
            refuse_used(folder / FILE)
            options = with_implied(options)
            n_trials = options.pop("trials", None)
            base = apply_options(SearchDefinition(), options)
            definition = SweepDefinition(
                base,
                DEFAULT_BUDGETS if budgets is None else tuple(budgets),
                DEFAULT_TRIALS if n_trials is None else n_trials,
            )
        dataset = load_data(definition.base.data)
        fingerprint = dataset.fingerprint()
        if definition.base.data.fingerprint not in ("", fingerprint):
            raise changed_rows(definition.base, folder, "sweep", "--name")
        data = replace(definition.base.data, fingerprint=fingerprint)
        definition = replace(definition, base=replace(definition.base, data=data))
        _check(definition, dataset)
        return cls(folder, definition, dataset, resume)

    def execute(self, n_workers: int | None, reporter: Reporter) -> Sweep:
        """Run the searches, smallest budget first; those that have ended are read.

        Args:
            n_workers: Training processes; None for the cores. Results do not depend on it.
            reporter: Is told what happens.

        Raises:
            SearchFailedError: No search gave a network within the limits.
            SearchInterruptedError: Ctrl-C; what has ended is saved.
        """
        planned = [replace(study, trial_time=self._trial_time(study)) for study in self.definition.searches()]
        studies: list[EndedStudy] = []
        results: list[BudgetResult] = []
        runner = StudyRunner(self.folder, self.dataset, n_workers, reporter)
        with kept_from_others(self.folder / FILE, self.definition, resume=self.resume), runner:
            runner.expect(planned)
            reporter.message(f"{said_of(runner.setup(planned[-1]))}\nSweep {self.folder}: {len(planned)} budgets")
            for study in planned:
                ended, outcome = runner.run_and_summarise(_after(study, studies))
                studies.append(ended)
                if (result := _best(study.definition.budget, ended, outcome, results)) is not None:
                    results.append(result)
        if not results:
            raise SearchFailedError(f"no search of sweep '{self.folder.name}' gave a network within the limits")
        return Sweep(self.folder, self.definition, tuple(results), tuple(studies))

    def _trial_time(self, planned: PlannedStudy) -> float:
        """Return how long a candidate of a budget, drawn at random, is expected to train: what a larger one adds."""
        space = Setup(planned.definition, self.dataset).space
        return float(space.training_time(space.sample(np.random.default_rng(0), _SAMPLE)).mean())


def _check(definition: SweepDefinition, dataset: Dataset) -> None:
    """Refuse what some budget cannot be searched with; what the largest refuses is no matter of budgets."""
    *smaller, largest = definition.searches()
    for study in (largest, *smaller):
        try:
            setup = Setup(study.definition, dataset)
            _ = setup.split, setup.input_format, setup.sampler
            if study is largest:  # resamples depend on no budget
                setup.refuse_few_groups()
        except InputError as error:
            if study is largest:
                raise
            budget = study.definition.budget
            raise InputError(f"--budgets {budget}: {error}, or leave {budget} out") from error


def _after(planned: PlannedStudy, ended: Sequence[EndedStudy]) -> PlannedStudy:
    """Return a search that comes after those with smaller budgets, those aside for which nothing was left to train."""
    names = tuple(study.name for study in ended if study.trials)
    return replace(planned, definition=replace(planned.definition, after=names))


def _best(
    budget: int, study: EndedStudy, outcome: StudyOutcome | None, smaller: Sequence[BudgetResult]
) -> BudgetResult | None:
    """Return the most precise network of a budget: its own search's, or that of the next smaller budget."""
    before = [replace(smaller[-1], budget=budget, study=study)] if smaller else []
    own = [] if outcome is None else [BudgetResult(budget, study, row, outcome, budget) for row in outcome.front]
    return min([*before, *own], key=lambda each: (each.row.point.error, each.row.share), default=None)


def _continued(folder: Path, options: Mapping[str, Any], budgets: Sequence[int] | None) -> SweepDefinition:
    """Return the definition of a sweep that is there, with larger budgets too."""
    stored = read_definition(folder / FILE, SweepDefinition)
    options = with_implied(options, resume=True)
    n_trials = options.pop("trials", stored.n_trials)
    changed = stored.base.differences(apply_options(stored.base, options))
    if n_trials != stored.n_trials:
        changed.append(f"trials {stored.n_trials} (now {n_trials})")
    if budgets is not None and tuple(budgets)[: len(stored.budgets)] != stored.budgets:
        changed.append(f"budgets {','.join(map(str, stored.budgets))}, to which only larger ones can be added")
    if changed:
        raise StudyError(
            f"sweep '{folder.name}' was started with {', '.join(changed)}; leave that out to continue it, or start "
            "another with --name"
        )
    return stored if budgets is None else replace(stored, budgets=tuple(budgets))

"""Starts and continues comparisons: what the command line, notebooks and benchmarks call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nas_fpga.comparison import _definition as defined
from nas_fpga.comparison._curves import VarianceRatio, kept, trace_of, variance_ratio
from nas_fpga.comparison._definition import ComparisonDefinition, with_card
from nas_fpga.comparison._outcome import Comparison, Method, Retrained
from nas_fpga.comparison._saved import kept_from_others, read_definition, refuse_used
from nas_fpga.comparison._studies import EndedStudy, PlannedStudy, StudyRunner
from nas_fpga.data import Dataset
from nas_fpga.errors import InputError, SearchFailedError, StudyError
from nas_fpga.samplers import GridSampler
from nas_fpga.space import LearnedBits, format_topology
from nas_fpga.study import (
    Reporter,
    SearchDefinition,
    Setup,
    TrialRecord,
    apply_options,
    changed_rows,
    load_data,
    said_of,
    with_implied,
)

FILE = "comparison.json"
_NOT_COMPARED = ("sampler", "after", "polish")


@dataclass(frozen=True, eq=False)
class ComparisonRun:
    """A comparison about to run: everything checked, nothing trained yet.

    Attributes:
        folder: ``runs/NAME``, with a study for every search.
        definition: What is compared.
        dataset: The rows.
        resume: Whether it is there already.
    """

    folder: Path
    definition: ComparisonDefinition
    dataset: Dataset
    resume: bool = False

    @classmethod
    def prepare(
        cls,
        folder: Path,
        options: Mapping[str, Any],
        *,
        samplers: Sequence[str] | None = None,
        seeds: int | None = None,
        preset: str | None = None,
        retrain: int | None = None,
        noise_points: int | None = None,
        resume: bool = False,
    ) -> ComparisonRun:
        """Check everything that can be checked before the first training.

        Args:
            folder: ``runs/NAME``.
            options: Of all searches, by the names of :class:`nas_fpga.study.SearchOptions`, and ``data``; ``trials`` is
                how many each search has, and ``seed`` the first seed.
            samplers: The methods; default gp and random.
            seeds: Searches of each method; default 3.
            preset: ``grid-vs-bo``, the card of the reference work, or None.
            retrain: How often winners are trained again; default 0, of the preset 3.
            noise_points: Points of the grid that are trained a second time; default 0, of the preset 30.
            resume: Continue the comparison in the folder; then only samplers, seeds and trials may differ.

        Raises:
            InputError: Anything given cannot be used.
            StudyError: The comparison cannot be made or continued.
        """
        for name in _NOT_COMPARED:
            if name in options:
                raise InputError(f"--{name} is not for a comparison; leave it out")
        own = {"n_seeds": seeds, "samplers": tuple(samplers) if samplers is not None else None,
               "retrain": retrain, "noise_points": noise_points}  # fmt: skip
        given: dict[str, Any] = {name: value for name, value in own.items() if value is not None}
        if resume:
            definition = _continued(folder, options, given, preset)
        else:
            refuse_used(folder / FILE)
            definition = _new(options, given, preset)
        dataset = load_data(definition.base.data)
        fingerprint = dataset.fingerprint()
        if definition.base.data.fingerprint not in ("", fingerprint):
            raise changed_rows(definition.base, folder, "comparison", "--name")
        data = replace(definition.base.data, fingerprint=fingerprint)
        definition = replace(definition, base=replace(definition.base, data=data))
        run = cls(folder, definition, dataset, resume)
        for sampler in definition.samplers:
            setup = Setup(definition.searches(sampler)[0].definition, dataset)
            _ = setup.split, setup.input_format, setup.included, setup.sampler
        searches = (study.definition for sampler in definition.samplers for study in definition.searches(sampler))
        for search in {search.seed: search for search in searches}.values():  # resamples depend on nothing else
            Setup(search, dataset).refuse_few_groups()
        return run

    def execute(self, n_workers: int | None, reporter: Reporter) -> Comparison:
        """Run all searches, then the retrainings; searches that have ended are read.

        Args:
            n_workers: Training processes; None for the cores. Results do not depend on it.
            reporter: Is told what happens.

        Raises:
            SearchFailedError: No search gave a network.
            SearchInterruptedError: Ctrl-C; what has ended is saved.
        """
        planned = {sampler: self._searches(sampler) for sampler in self.definition.samplers}
        runner = StudyRunner(self.folder, self.dataset, n_workers, reporter)
        with kept_from_others(self.folder / FILE, self.definition, resume=self.resume), runner:
            studies = [study for of_method in planned.values() for study in of_method]
            n_noise = min([self.definition.noise_points, *(study.n_trials for study in planned.get("grid", ()))])
            n_retrained = self.definition.retrain * len(studies)  # at most: searches may have the same winner
            runner.expect(studies, more=n_noise + n_retrained)
            setup = runner.setup(studies[0])
            reporter.message(f"{said_of(setup)}\nComparison {self.folder}: {len(studies)} searches")
            if setup.target.unlimited:
                reporter.message("No hardware limits: whatever a network takes, nothing is refused")
            ended = {sampler: [runner.run(study) for study in of] for sampler, of in planned.items()}
            if not any(_winner(study) for of in ended.values() for study in of):
                raise SearchFailedError(f"no search of comparison '{self.folder.name}' gave a network")
            noise = log_noise = None
            if self.definition.noise_points:
                noise, log_noise = self._noise(runner, ended["grid"][0], n_retrained)
            retrained = self._retrained(runner, ended) if self.definition.retrain else {}
        methods = [Method(name, tuple(of), retrained.get(name, ())) for name, of in ended.items()]
        return Comparison(self.folder, self.definition, tuple(methods), noise, log_noise)

    def _searches(self, sampler: str) -> tuple[PlannedStudy, ...]:
        studies = self.definition.searches(sampler)
        if sampler == "grid" and self.definition.whole_grid:
            grid = Setup(studies[0].definition, self.dataset).sampler
            assert isinstance(grid, GridSampler)
            return tuple(replace(study, n_trials=len(grid.points)) for study in studies)
        return studies

    def _noise(
        self, runner: StudyRunner, grid: EndedStudy, n_after: int
    ) -> tuple[VarianceRatio | None, VarianceRatio | None]:
        """Train some points of the grid again, drawn at random; return what they say of noise.

        Args:
            runner: Trains them.
            grid: That they are of.
            n_after: Trials, at most, that come after these.
        """
        points = [trial for trial in grid.trials if trial.proposed_by != "included"]
        trained = [trial for trial in points if _merits(trial, grid.setup) is not None]
        rng = np.random.default_rng([self.definition.base.seed, 1])
        chosen = np.sort(rng.permutation(len(trained))[: self.definition.noise_points])
        again = self.definition.noise([_included(trained[i]) for i in chosen])
        runner.expect([again], more=n_after)
        second = runner.run(again)
        once = np.array([_merits(trial, grid.setup) for trial in trained], np.float64)  # (n, 2)
        pairs = [(once[i], _merits(t, second.setup)) for i, t in zip(chosen, second.trials, strict=True)]
        both = np.array([(a, b) for a, b in pairs if b is not None], np.float64)  # (m, 2 trainings, 2 quantities)
        if len(both) == 0 or len(once) < 2:
            return None, None
        of_error, of_log = (variance_ratio(once[:, k], both[:, :, k]) for k in range(2))
        return of_error, of_log

    def _retrained(
        self, runner: StudyRunner, ended: Mapping[str, Sequence[EndedStudy]]
    ) -> dict[str, tuple[Retrained, ...]]:
        """Train the winner of every search again, each network once a seed, whoever found it.

        The winners of each method have studies of their own, so a method that is compared later changes none of them.
        """
        winners = {name: [_winner(study) for study in of] for name, of in ended.items()}
        errors: dict[str, list[float]] = {}
        planned: list[tuple[list[str], PlannedStudy]] = []
        for of in winners.values():
            texts = dict.fromkeys(_included(trial) for trial in of if trial is not None)
            if new := [text for text in texts if text not in errors]:
                errors |= {text: [] for text in new}
                planned += [(new, study) for study in self.definition.retrainings(new)]
        runner.expect(study for _, study in planned)
        for new, study in planned:
            ended_study = runner.run(study)
            for text, trial in zip(new, ended_study.trials, strict=True):
                if (merits := _merits(trial, ended_study.setup)) is not None:
                    errors[text].append(merits[0])
        return {
            name: tuple(Retrained(trial, np.array(errors[_included(trial)])) for trial in of if trial is not None)
            for name, of in winners.items()
        }


def _new(options: Mapping[str, Any], given: dict[str, Any], preset: str | None) -> ComparisonDefinition:
    """Return the definition of a new comparison."""
    if preset is not None and preset not in defined.PRESETS:
        raise InputError(f"--preset {preset} is none of {', '.join(defined.PRESETS)}")
    options = _apart(with_card(options) if preset else options, given)
    base = apply_options(SearchDefinition(polish=0.0), options)
    base = replace(base, split_seed=base.seed_of_split)
    if preset:
        card = {"samplers": defined.CARD_SAMPLERS, "n_trials": defined.CARD_TRIALS, "whole_grid": True}
        samplers = given.get("samplers", defined.CARD_SAMPLERS)
        n_noise = defined.CARD_NOISE_POINTS if "grid" in samplers else 0
        given = card | {"retrain": defined.CARD_RETRAIN, "noise_points": n_noise} | given
    return ComparisonDefinition(base, **given)


def _apart(options: Mapping[str, Any], given: dict[str, Any], *, resume: bool = False) -> dict[str, Any]:
    """Return the options that all searches share; those of some are added to what is given of the comparison."""
    options = with_implied(options, resume=resume)
    for name, of_comparison in (("trials", "n_trials"), ("grid", "grid"), ("acquisition", "acquisition")):
        if (value := options.pop(name, None)) is not None:
            given[of_comparison] = value
    return options


def _continued(
    folder: Path, options: Mapping[str, Any], given: dict[str, Any], preset: str | None
) -> ComparisonDefinition:
    """Return the definition of a comparison that is there, with more methods, seeds or trials."""
    stored = read_definition(folder / FILE, ComparisonDefinition)
    if preset is not None and not stored.whole_grid:
        raise StudyError(f"comparison '{folder.name}' was started without --preset; leave it out to continue it")
    options = _apart(options, given, resume=True)
    changed = stored.base.differences(apply_options(stored.base, options))
    changed += [
        f"{name} {getattr(stored, name)} (now {given[name]})"
        for name in ("retrain", "noise_points", "grid", "acquisition")
        if given.get(name, getattr(stored, name)) != getattr(stored, name)
    ]
    if changed:
        raise StudyError(
            f"comparison '{folder.name}' was started with {', '.join(changed)}; leave that out to continue it, or "
            "start another with --name"
        )
    if given.get("n_trials", stored.n_trials) < stored.n_trials:
        raise StudyError(
            f"--trials {given['n_trials']} is below the {stored.n_trials} of '{folder.name}'; ask for more"
        )
    return replace(stored, **given)


def _included(trial: TrialRecord) -> str:
    """Return a trial's candidate as `--include` takes it."""
    candidate = trial.candidate
    return format_topology(candidate.topology) if isinstance(candidate.bits, LearnedBits) else str(candidate)


def _winner(study: EndedStudy) -> TrialRecord | None:
    """Return the trial of least error within the limits; None where there is none."""
    errors = trace_of(study.trials, study.setup).errors
    return None if np.isnan(errors).all() else study.trials[int(np.nanargmin(errors))]


def _merits(trial: TrialRecord, setup: Setup) -> tuple[float, float] | None:
    """Return error and smoothed log10 of it, of the best network of a trial within the limits."""
    best = min(kept(trial, setup), key=lambda point: point.error, default=None)
    return None if best is None else (best.error, best.merits.log10_error)

"""Other libraries on a table, each at its defaults and at its best documented idiom for a known budget.

A proposal over the budget is refused in the library's own way. Columns are what the library has for ordered levels and
for categories; what is learned is log10 of the error, but for SMAC, whose facade takes the logarithm itself.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.search._tables import Levels, Problem

N_TRAININGS = 100  # that are announced to a library which wants to know


# -- Optuna --------------------------------------------------------------------------------------------------------


class Optuna:
    """A study that is asked and told; places of ordered levels are integers, categories are categories."""

    def __init__(self, problem: Problem, sampler: Any, budget: str) -> None:
        """Begin a study.

        Args:
            problem: What is searched.
            sampler: Of Optuna.
            budget: ``prune``: a trial over the budget is pruned; ``constrain``: the excess is a constraint, and a trial
                over it has the worst error seen, which no sampler then looks at; ``condition``: the range of the second
                width depends on the first.
        """
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore")
        self.problem, self.budget = problem, budget
        self.study = optuna.create_study(sampler=sampler)
        self.pruned = optuna.trial.TrialState.PRUNED
        self.worst = 0.0

    def propose(self) -> Levels:
        self.trial = self.study.ask()
        levels: list[int] = []
        for i, column in enumerate(self.problem.table.columns):
            if column.kind == "categorical":
                levels.append(column.levels.index(self.trial.suggest_categorical(column.name, column.levels)))
            else:
                name, highest = self._range(i, levels)
                levels.append(self.trial.suggest_int(name, 0, highest))
        return tuple(levels)

    def _range(self, i: int, levels: Sequence[int]) -> tuple[str, int]:
        """Return the name of a parameter and its highest level; of widths what fits, where the budget is a condition.

        A range of its own needs a name of its own: Optuna learns of a name in one range alone.
        """
        column = self.problem.table.columns[i]
        if self.budget != "condition" or i not in self.problem.sized:
            return column.name, len(column.levels) - 1
        first, _ = self.problem.sized
        fits = self.problem.within_pairs
        highest = int(np.flatnonzero(fits.any(axis=1) if i == first else fits[levels[first]]).max())
        return f"{column.name} to {column.levels[highest]}", highest

    def observe(self, levels: Levels, log10_error: float) -> None:
        self.worst = max(self.worst, log10_error)
        if self.budget == "constrain":
            self.trial.set_constraint("weights", self.problem.log10_share(levels))
        self.study.tell(self.trial, log10_error)

    def refuse(self, levels: Levels) -> None:
        if self.budget == "constrain":
            self.trial.set_constraint("weights", self.problem.log10_share(levels))
            self.study.tell(self.trial, self.worst)
        else:
            self.study.tell(self.trial, state=self.pruned)


def optuna_tpe(problem: Problem, seed: int) -> Optuna:
    """Return it at its defaults.

    The excess as a constraint changes no proposal: a trial over the budget is among the bad ones either way.
    """
    import optuna

    return Optuna(problem, optuna.samplers.TPESampler(seed=seed), "prune")


def optuna_tpe_conditional(problem: Problem, seed: int) -> Optuna:
    import optuna

    return Optuna(problem, optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True), "condition")


def optuna_nsga2(problem: Problem, seed: int) -> Optuna:
    import optuna

    return Optuna(problem, optuna.samplers.NSGAIISampler(seed=seed), "prune")


def optuna_nsga2_constrained(problem: Problem, seed: int) -> Optuna:
    import optuna

    return Optuna(problem, optuna.samplers.NSGAIISampler(seed=seed, population_size=20), "constrain")


# -- SMAC3 ---------------------------------------------------------------------------------------------------------


class Smac:
    """The facade for hyperparameter optimisation, asked and told."""

    def __init__(self, problem: Problem, seed: int, forbid: bool) -> None:
        """Begin a run; with ``forbid`` pairs of widths over the budget are forbidden clauses of the space."""
        from ConfigSpace import ConfigurationSpace
        from smac import HyperparameterOptimizationFacade, Scenario
        from smac.runhistory import StatusType, TrialValue

        logging.getLogger("smac").setLevel(logging.ERROR)
        warnings.simplefilter("ignore")
        self.problem, self.status, self.value, self.worst = problem, StatusType, TrialValue, 1.0
        space = ConfigurationSpace(seed=seed)
        parameters = _config_space_columns(problem)
        space.add(*parameters)
        if forbid and problem.halved:
            space.add(*_forbidden(problem, parameters))
        self.folder = tempfile.TemporaryDirectory()
        scenario = Scenario(
            space, deterministic=True, n_trials=N_TRAININGS, seed=seed, output_directory=self.folder.name
        )
        self.facade = HyperparameterOptimizationFacade(
            scenario, lambda config, seed=0: 0.0, overwrite=True, logging_level=logging.ERROR
        )

    def propose(self) -> Levels:
        self.info = self.facade.ask()
        config = dict(self.info.config)
        return tuple(column.levels.index(_plain(config[column.name])) for column in self.problem.table.columns)

    def observe(self, levels: Levels, log10_error: float) -> None:
        self.worst = max(self.worst, 10**log10_error)
        self.facade.tell(self.info, self.value(cost=10**log10_error), save=False)

    def refuse(self, levels: Levels) -> None:
        # An infinite cost, its default of what crashed, is one that its forest cannot be fitted to.
        self.facade.tell(self.info, self.value(cost=self.worst, status=self.status.CRASHED), save=False)


def smac(problem: Problem, seed: int) -> Smac:
    return Smac(problem, seed, forbid=False)


def smac_forbidden(problem: Problem, seed: int) -> Smac:
    return Smac(problem, seed, forbid=True)


def _config_space_columns(problem: Problem) -> list[Any]:
    from ConfigSpace import CategoricalHyperparameter, OrdinalHyperparameter

    return [
        CategoricalHyperparameter(column.name, column.levels)
        if column.kind == "categorical"
        else OrdinalHyperparameter(column.name, column.levels)
        for column in problem.table.columns
    ]


def _forbidden(problem: Problem, parameters: Sequence[Any]) -> list[Any]:
    """Return a clause for each level of the first width that forbids those of the second which are too much."""
    from ConfigSpace import ForbiddenAndConjunction, ForbiddenEqualsClause, ForbiddenInClause

    first, second = problem.sized
    levels = problem.table.columns[second].levels
    return [
        ForbiddenAndConjunction(
            ForbiddenEqualsClause(parameters[first], problem.table.columns[first].levels[i]),
            ForbiddenInClause(parameters[second], [levels[j] for j in np.flatnonzero(~fits)]),
        )
        for i, fits in enumerate(problem.within_pairs)
        if not fits.all()
    ]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


# -- DeepHyper -----------------------------------------------------------------------------------------------------


class DeepHyper:
    """Centralized Bayesian optimisation, asked and told; it maximises."""

    def __init__(self, problem: Problem, seed: int, sampled: bool) -> None:
        """Begin a search.

        Args:
            problem: What is searched.
            seed: Of the search.
            sampled: Take the best of 10,000 samples, of which the problem draws and accepts only what is within the
                budget. The default is a genetic algorithm, which asks for what is known several times a training.
        """
        import pandas as pd
        from deephyper.hpo import CBO, HpProblem

        logging.getLogger("deephyper").setLevel(logging.ERROR)
        warnings.simplefilter("ignore")
        self.problem = problem
        hp_problem = HpProblem(seed=seed)
        for column in problem.table.columns:
            hp_problem.add_hyperparameter(list(column.levels), column.name)
        self.places = [{level: i for i, level in enumerate(column.levels)} for column in problem.table.columns]
        if sampled and problem.halved:
            rng, space = np.random.default_rng(seed), problem.space()
            names = [column.name for column in problem.table.columns]

            def sample(size: int) -> list[dict[str, Any]]:
                return [
                    dict(zip(names, values, strict=True)) for values in space.candidates(space.sample(rng, int(size)))
                ]

            def allowed(frame: Any) -> Any:
                if isinstance(frame, pd.DataFrame):
                    rows = np.array([frame[n].map(at) for n, at in zip(names, self.places, strict=True)]).T
                    return pd.Series(problem.within[problem.table.numbers(rows)], index=frame.index)
                row = np.array([[at[frame[n]] for n, at in zip(names, self.places, strict=True)]])
                return bool(problem.within[problem.table.numbers(row)][0])

            hp_problem.set_sampling_fn(sample)
            hp_problem.set_constraint_fn(allowed)
        self.folder = tempfile.TemporaryDirectory()
        self.search = CBO(
            hp_problem,
            random_state=seed,
            log_dir=self.folder.name,
            acq_optimizer="sampling" if sampled else "mixedga",
            acq_optimizer_kwargs={"max_total_failures": -1},  # or a run ends at a hundred refused proposals
        )

    def propose(self) -> Levels:
        (self.config,) = self.search.ask(1)
        return tuple(
            at[_plain(self.config[column.name])]
            for at, column in zip(self.places, self.problem.table.columns, strict=True)
        )

    def observe(self, levels: Levels, log10_error: float) -> None:
        self.search.tell([(self.config, -log10_error)])

    def refuse(self, levels: Levels) -> None:
        self.search.tell([(self.config, "F_over_the_budget")])


def deephyper(problem: Problem, seed: int) -> DeepHyper:
    return DeepHyper(problem, seed, sampled=False)


def deephyper_sampled(problem: Problem, seed: int) -> DeepHyper:
    return DeepHyper(problem, seed, sampled=True)

"""What a comparison comes to, as values, rows and JSON."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nas_fpga.comparison._curves import (
    LEAST_RATIO,
    NOTHING_YET,
    Array,
    Band,
    Trace,
    VarianceRatio,
    first_at_least,
    first_at_most,
    kept,
    over_seconds,
    over_trials,
    trace_of,
)
from nas_fpga.comparison._definition import ComparisonDefinition
from nas_fpga.comparison._studies import EndedStudy
from nas_fpga.hardware import log10_share
from nas_fpga.space import format_topology
from nas_fpga.study import Setup, TrialRecord


@dataclass(frozen=True, eq=False)
class Retrained:
    """A search's winner, trained again.

    Attributes:
        trial: The winner.
        errors: `(k,)` validation errors of its trainings with other seeds; of those that gave a network.
    """

    trial: TrialRecord
    errors: Array

    @property
    def mean(self) -> float:
        """Mean error; NaN where no training gave a network."""
        return float(self.errors.mean()) if len(self.errors) else float("nan")

    @property
    def deviation(self) -> float:
        """Standard deviation of one training; NaN of fewer than two."""
        return float(self.errors.std(ddof=1)) if len(self.errors) > 1 else float("nan")


@dataclass(frozen=True, eq=False)
class Method:
    """One method's searches.

    Attributes:
        name: Of the sampler.
        studies: One for each seed.
        retrained: The winner of each, where winners were trained again.
    """

    name: str
    studies: tuple[EndedStudy, ...]
    retrained: tuple[Retrained, ...] = ()

    @cached_property
    def traces(self) -> tuple[Trace, ...]:
        """One for each study."""
        return tuple(trace_of(study.trials, study.setup) for study in self.studies)

    @cached_property
    def best(self) -> Band:
        """Lowest error so far, over trials."""
        return over_trials([trace.best for trace in self.traces])

    @cached_property
    def hypervolume(self) -> Band:
        """Hypervolume, over trials."""
        return over_trials([trace.hypervolumes for trace in self.traces])

    @cached_property
    def best_by_time(self) -> Band:
        """Lowest error so far, over seconds."""
        seconds = [trace.seconds for trace in self.traces]
        return over_seconds(seconds, [trace.best for trace in self.traces], NOTHING_YET)

    @cached_property
    def hypervolume_by_time(self) -> Band:
        """Hypervolume, over seconds."""
        return over_seconds([t.seconds for t in self.traces], [t.hypervolumes for t in self.traces], 0.0)

    @property
    def seconds(self) -> float:
        """Expected of the trainings of one search, the median over seeds."""
        return float(np.median([trace.seconds[-1] for trace in self.traces]))

    @property
    def n_failed(self) -> int:
        """Trials that failed."""
        return sum(trial.state == "failed" for study in self.studies for trial in study.trials)

    @property
    def n_duplicates(self) -> int:
        """Trials of what the same search had trained before."""
        return sum(len(s.trials) - len({trial.candidate for trial in s.trials}) for s in self.studies)

    @property
    def n_infeasible(self) -> int:
        """Proposals outside the space; what the user included may have settings that are not searched."""
        return sum(
            trial.candidate not in study.setup.space
            for study in self.studies
            for trial in study.trials
            if trial.proposed_by != "included"
        )


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several methods on the same data, space, limits and seeds.

    Attributes:
        folder: Where it lies, with a study for every search.
        definition: What was compared.
        methods: In the order asked for.
        noise: Variance of precision between points of the grid over that between trainings of one, if it was measured.
        log_noise: The same of the smoothed log10 of the error, which samplers learn from.
    """

    folder: Path
    definition: ComparisonDefinition
    methods: tuple[Method, ...]
    noise: VarianceRatio | None = None
    log_noise: VarianceRatio | None = None

    @property
    def setup(self) -> Setup:
        """The rooms of the first search; data, space and limits are those of all."""
        return self.methods[0].studies[0].setup

    @property
    def by_precision(self) -> bool:
        """Whether methods are compared by precision alone, rather than by hypervolume."""
        return self.definition.base.goal == "precision"

    @property
    def target(self) -> float | None:
        """Mean error of the grid's winner over its retrainings, which the others are to reach; None without any."""
        grids = [method for method in self.methods if method.name == "grid" and method.retrained]
        mean = grids[0].retrained[0].mean if self.definition.whole_grid and grids else np.nan
        return mean if np.isfinite(mean) else None

    @property
    def is_conclusive(self) -> bool | None:
        """Whether candidates differ enough against noise for methods to be told apart; None where none was measured."""
        return None if self.log_noise is None else self.log_noise.ratio >= LEAST_RATIO

    def reaching_target(self, method: Method) -> int | None:
        """Return the first trial after which a method's median is at the target; None where it never is."""
        return None if self.target is None else first_at_most(method.best.median, self.target)

    def reaches(self, method: Method, other: Method) -> dict[str, int | None]:
        """Return the first trial after which a method's median is where another's ends, in error and hypervolume."""
        return {
            "error": first_at_most(method.best.median, other.best.median[-1]),
            "hypervolume": first_at_least(method.hypervolume.median, other.hypervolume.median[-1]),
        }

    def summary(self) -> dict[str, Any]:
        """Return what the comparison comes to as plain values."""
        found: dict[str, Any] = {
            "comparison": self.folder.name,
            "conclusive": self.is_conclusive,
            "data": self.setup.dataset.name,
            "merit": self.setup.merit_name,
            "seeds": self.definition.n_seeds,
            "trials": self.definition.n_trials,
            "goal": self.definition.base.goal,
            "methods": {method.name: self._of(method) for method in self.methods},
        }
        if self.target is not None:
            found["target"] = {"error": self.target, "precision": 1 - self.target}
        if self.noise is not None and self.log_noise is not None:
            found["noise"] = asdict(self.noise) | {"ratio": self.noise.ratio}
            log = {"ratio": self.log_noise.ratio, "least ratio asked": LEAST_RATIO}
            found["noise of log10 error"] = asdict(self.log_noise) | log
        return found

    def _of(self, method: Method) -> dict[str, Any]:
        found: dict[str, Any] = {
            "searches": len(method.studies),
            "trials": len(method.best.at),
            "failed": method.n_failed,
            "duplicates": method.n_duplicates,
            "infeasible": method.n_infeasible,
            "error": _quartiles(method.best),
            "hypervolume": _quartiles(method.hypervolume),
            "training_s": method.seconds,
            "reaches": {other.name: self.reaches(method, other) for other in self.methods if other is not method},
        }
        if method.retrained:
            found["retrained"] = [
                {
                    "candidate": str(of.trial.candidate),
                    "trial": of.trial.number,
                    "errors": of.errors.tolist(),
                    "mean": of.mean,
                    "deviation": of.deviation,
                }
                for of in method.retrained
            ]
        if self.target is not None:
            found["reaches target"] = self.reaching_target(method)
        return found

    def csv(self) -> str:
        """Return all trials as CSV, one line each, with what their search had by then."""
        rows = [
            row
            for method in self.methods
            for study, trace in zip(method.studies, method.traces, strict=True)
            for row in _rows(method.name, study, trace)
        ]
        return to_csv(rows)


def _quartiles(band: Band) -> dict[str, float]:
    return {name: float(getattr(band, name)[-1]) for name in ("low", "median", "high")}


def _rows(method: str, study: EndedStudy, trace: Trace) -> list[dict[str, Any]]:
    rows = []
    for i, trial in enumerate(study.trials):
        points = kept(trial, study.setup)
        point = min(points, key=lambda each: each.error, default=None)
        rows.append(
            {
                "method": method,
                "seed": study.setup.definition.seed,
                "trial": trial.number,
                "candidate": str(trial.candidate),
                "topology": format_topology(trial.candidate.topology),
                "neurons": trial.candidate.n_neurons,
                "proposed_by": trial.proposed_by,
                "state": trial.state,
                "error": None if point is None else point.error,
                "log10_error": None if point is None else point.merits.log10_error,
                "log10_share": None if point is None else log10_share(point.mapped.figures.share(study.setup.target)),
                "best_error": trace.best[i],
                "hypervolume": trace.hypervolumes[i],
                "training_s": trace.seconds[i],
            }
        )
    return rows


def to_csv(rows: list[dict[str, Any]]) -> str:
    """Return rows as CSV; numbers with seven digits, empty where there is none."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _plain(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _plain(value: Any) -> Any:
    return f"{value:.7g}" if isinstance(value, float | np.floating) else value

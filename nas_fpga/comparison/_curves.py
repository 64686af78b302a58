"""What a search had after each of its trials, and how several searches compare: arithmetic alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.hardware import as_told, log10_share
from nas_fpga.samplers import hypervolume
from nas_fpga.study import Point, Setup, TrialRecord, training_seconds

Array = NDArray[np.float64]

NOTHING_YET = 1.0
"""Error of a search that has no network within the limits: everything passes."""

LEAST_RATIO = 5.0
"""Variance between candidates over that between trainings of one from which on methods are compared at all.

At this ratio five sixths of what single trainings differ by lies between candidates. Far below it the lowest error of a
search is that of its luckiest training, whichever candidates a method proposes.
"""

_ROUNDING = 1e-12  # of figures of about 1
_N_RESAMPLES = 2000  # of the interval of a ratio


@dataclass(frozen=True, eq=False)
class Trace:
    """What one study had after each of its `n` trials, in the order of their numbers.

    Attributes:
        errors: `(n,)` lowest error of each trial within the limits; NaN where it has none.
        best: `(n,)` lowest of these so far; :data:`NOTHING_YET` before the first.
        hypervolumes: `(n,)` of the networks within the limits so far.
        seconds: `(n,)` expected of all epochs that ran so far, as if one trial had followed the other.
    """

    errors: Array
    best: Array
    hypervolumes: Array
    seconds: Array


@dataclass(frozen=True, eq=False)
class Band:
    """Quartiles over seeds, at each place of an axis.

    Attributes:
        at: `(k,)` trials or seconds.
        low: `(k,)` lower quartile.
        median: `(k,)`.
        high: `(k,)` upper quartile.
    """

    at: Array
    low: Array
    median: Array
    high: Array


def kept(trial: TrialRecord, setup: Setup) -> tuple[Point, ...]:
    """Return the networks of a trial within the limits, polished ones aside: no sampler proposed those."""
    target = setup.target
    points = trial.of_networks(target)
    return tuple(point for point in points if point.mapped.figures.is_feasible(target) and not point.polished)


def trace_of(trials: Sequence[TrialRecord], setup: Setup) -> Trace:
    """Return the course of a study."""
    errors, volumes = np.full(len(trials), np.nan), np.zeros(len(trials))
    logs: list[tuple[float, float]] = []
    for i, trial in enumerate(trials):
        points = kept(trial, setup)
        if points:
            errors[i] = min(point.error for point in points)
            shares = [as_told(point.mapped.figures.share(setup.target), setup.target) for point in points]
            logs += [(p.merits.log10_error, log10_share(share)) for p, share in zip(points, shares, strict=True)]
        volumes[i] = max(hypervolume(*np.array(logs).T), 0.0) if logs else 0.0
    best = np.minimum.accumulate(np.nan_to_num(errors, nan=NOTHING_YET))
    return Trace(errors, best, volumes, np.cumsum(training_seconds(setup, trials)))


def over_trials(curves: Sequence[Array]) -> Band:
    """Return the band of what several studies had after each trial; one that ended sooner stays as it ended.

    Args:
        curves: One `(n,)` for each study, n at least 1.
    """
    n = max(map(len, curves))
    whole = np.array([np.concatenate([curve, np.full(n - len(curve), curve[-1])]) for curve in curves])
    return _band(np.arange(1.0, n + 1), whole)


def over_seconds(seconds: Sequence[Array], curves: Sequence[Array], start: float) -> Band:
    """Return the band of what several studies had at each time that one of them changed.

    Args:
        seconds: One `(n,)` for each study, ascending.
        curves: What it had from each of these on.
        start: What it had before the first.
    """
    at = np.unique(np.concatenate([[0.0], *seconds]))
    whole = np.array(
        [
            np.concatenate([[start], curve])[np.searchsorted(times, at, side="right")]
            for times, curve in zip(seconds, curves, strict=True)
        ]
    )
    return _band(at, whole)


def _band(at: Array, whole: Array) -> Band:
    low, median, high = np.quantile(whole, [0.25, 0.5, 0.75], axis=0)
    return Band(at, low, median, high)


def first_at_most(curve: Array, target: float) -> int | None:
    """Return the first trial, from 1, after which a curve that falls is at a target or below; None where none is."""
    there = np.flatnonzero(curve <= target)
    return int(there[0]) + 1 if len(there) else None


def first_at_least(curve: Array, target: float) -> int | None:
    """Return the first trial, from 1, after which a curve that grows is at a target or above; None where none is."""
    return first_at_most(-curve, -target)


@dataclass(frozen=True)
class VarianceRatio:
    """How much candidates differ against how much trainings of one candidate do.

    Attributes:
        between: Variance between candidates, without what one training adds.
        within: Variance between trainings of one candidate, the mean over candidates.
        n_candidates: That were trained once.
        n_repeated: Of these, trained again.
        interval: 95 % interval of the ratio.
    """

    between: float
    within: float
    n_candidates: int
    n_repeated: int
    interval: tuple[float, float]

    @property
    def ratio(self) -> float:
        """Of the two variances; infinite where only candidates differ, 0 where nothing does."""
        return float(_over(np.array(self.between), np.array(self.within)))


def variance_ratio(once: Array, repeated: Array) -> VarianceRatio:
    """Return the variance between candidates over that between trainings of one.

    Of a candidate that was trained k times the variance is that of its trainings (k - 1 in the denominator). The
    variance of single trainings over candidates is the sum of both, so what lies between candidates is the rest.

    The interval is the bootstrap's percentiles: candidates are drawn again, those that were trained once and, apart
    from these, those that were trained k times (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter
    13).

    Args:
        once: `(n,)` a figure of every candidate, n at least 2.
        repeated: `(m, k)` the figure of m candidates in k trainings each, k at least 2.
    """
    rounding = (_ROUNDING * max(1.0, float(np.abs(once).max()))) ** 2
    of_trainings = _variances(repeated, rounding)
    within = float(of_trainings.mean())
    rng = np.random.default_rng(0)
    drawn_once = rng.integers(len(once), size=(_N_RESAMPLES, len(once)))
    drawn_again = rng.integers(len(repeated), size=(_N_RESAMPLES, len(repeated)))
    totals, withins = _variances(once[drawn_once], rounding), of_trainings[drawn_again].mean(axis=1)
    ratios = np.sort(_over(np.maximum(totals - withins, 0.0), withins))
    low, high = ratios[round(0.025 * _N_RESAMPLES)], ratios[round(0.975 * _N_RESAMPLES) - 1]
    between = max(float(_variances(once, rounding)) - within, 0.0)
    return VarianceRatio(between, within, len(once), len(repeated), (float(low), float(high)))


def _variances(values: Array, rounding: float) -> Array:
    """Return the variances along the last axis, 0 where they come from rounding."""
    found: Array = values.var(axis=-1, ddof=1)
    return np.where(found > rounding, found, 0.0)


def _over(between: Array, within: Array) -> Array:
    """Return ratios: infinite over 0, but 0 of 0 is 0."""
    without_noise = np.where(between > 0, np.inf, 0.0)
    return np.divide(between, within, out=without_noise, where=within > 0)

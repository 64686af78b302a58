"""Means, ratios, fronts: what the benchmarks of training compute from what they measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nas_fpga.samplers import hypervolume, non_dominated

Array = NDArray[np.float64]

_TWO_SIDED_95 = 1.96


@dataclass(frozen=True)
class Estimate:
    """A mean with its standard error."""

    mean: float
    error: float


def mean_of(values: ArrayLike) -> Estimate:
    """Return the mean of values `(n,)`, and its standard error; 0 for a single value, which tells nothing of it."""
    values = np.asarray(values, np.float64)
    return Estimate(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0)


def ratio_of(numerator: Estimate, denominator: Estimate) -> tuple[float, float, float]:
    """Return the ratio of two independent means above 0, and its 95 % interval (normal in the logarithm)."""
    ratio = numerator.mean / denominator.mean
    spread = np.hypot(numerator.error / numerator.mean, denominator.error / denominator.mean)
    factor = float(np.exp(_TWO_SIDED_95 * spread))
    return ratio, ratio / factor, ratio * factor


def paired_difference(ours: ArrayLike, theirs: ArrayLike) -> Estimate:
    """Return the mean of ours minus theirs, pair by pair."""
    return mean_of(np.asarray(ours, np.float64) - np.asarray(theirs, np.float64))


def training_flops(macs: int, rows: int) -> float:
    """Return the operations of a network trained on so many rows: a product and a sum, forward once, backward twice."""
    return 6.0 * macs * rows


# -- fronts --------------------------------------------------------------------------------------------------------


def front(errors: ArrayLike, costs: ArrayLike) -> NDArray[np.int64]:
    """Return which of `(n,)` points no other dominates, the cheapest first."""
    errors, costs = np.asarray(errors, np.float64), np.asarray(costs, np.float64)
    there = np.flatnonzero(non_dominated(errors, costs))
    return there[np.argsort(costs[there], kind="stable")]


def spread_out(costs: Sequence[float], most: int) -> list[int]:
    """Return at most ``most`` places of a front, cheapest first: both ends, and what is evenly spread in log cost.

    Costs are of any unit, shares of a limit too.
    """
    if len(costs) <= most:
        return list(range(len(costs)))
    logs = np.log10(np.maximum(np.asarray(costs, np.float64), 1e-12))
    chosen = [int(np.abs(logs - at).argmin()) for at in np.linspace(logs[0], logs[-1], most)]
    return sorted(set(chosen))


def volume(errors: ArrayLike, luts: ArrayLike, limit: float) -> float:
    """Return the hypervolume of points of error and LUTs under a limit of LUTs, as searches define it."""
    errors, shares = np.asarray(errors, np.float64), np.asarray(luts, np.float64) / limit
    return hypervolume(np.log10(np.maximum(errors, 1e-12)), np.log10(np.maximum(shares, 1e-12)))


def luts_at(errors: ArrayLike, luts: ArrayLike, at: ArrayLike) -> Array:
    """Return the LUTs that a front needs for errors ``at`` `(k,)`; NaN where none of its points is as precise.

    Between points both axes are interpolated in the logarithm. An error worse than that of the cheapest point needs
    that point: nothing cheaper was found.
    """
    kept = front(errors, luts)
    log_errors = np.log10(np.maximum(np.asarray(errors, np.float64)[kept], 1e-12))[::-1]  # rising
    log_luts = np.log10(np.maximum(np.asarray(luts, np.float64)[kept], 1))[::-1]
    wanted = np.log10(np.maximum(np.asarray(at, np.float64), 1e-12))
    found: Array = 10 ** np.interp(wanted, log_errors, log_luts)
    return np.where(wanted < log_errors[0] - 1e-9, np.nan, found)


def cost_ratio(ours: tuple[ArrayLike, ArrayLike], theirs: tuple[ArrayLike, ArrayLike]) -> tuple[float, int, int]:
    """Return the geometric mean of our LUTs over theirs at the errors of their front, and at how many of how many.

    Args:
        ours: Errors and LUTs.
        theirs: Errors and LUTs.

    Returns:
        NaN and 0 where none of their errors is reached.
    """
    errors, luts = (np.asarray(values, np.float64) for values in theirs)
    kept = front(errors, luts)
    ratios = luts_at(*ours, errors[kept]) / np.maximum(luts[kept], 1)
    reached = np.isfinite(ratios)
    mean = float(np.exp(np.log(ratios[reached]).mean())) if reached.any() else float("nan")
    return mean, int(reached.sum()), len(kept)

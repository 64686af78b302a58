"""The Pareto front over points, and what may be said of it given that every figure is noisy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def non_dominated(errors: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points no other point beats: as good in both and better in one. Equal points all stay.

    Args:
        errors: `(n,)`, lower is better.
        shares: `(n,)`, lower is better.
    """
    order = np.lexsort((errors, shares))
    kept = np.zeros(len(errors), bool)
    best, at_share = np.inf, np.inf
    for i in order:
        if errors[i] < best or (errors[i] == best and shares[i] == at_share):
            kept[i], best, at_share = True, errors[i], shares[i]
    return kept


def probability_undominated(replicates: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for every point, the share of the resamples in which no cheaper or equal point is at least as good.

    Args:
        replicates: `(n, r)` errors of every point in every resample; the same resamples for all points.
        shares: `(n,)`.
    """
    order = np.lexsort((replicates.mean(axis=1), shares))
    ordered = replicates[order]
    before = np.vstack([np.full((1, replicates.shape[1]), np.inf), np.minimum.accumulate(ordered, axis=0)[:-1]])
    probability = np.empty(len(shares))
    probability[order] = (ordered < before).mean(axis=1)
    return probability


def selection_corrected(
    errors: NDArray[np.float64], replicates: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return errors with the optimism of picking the best of many added.

    For each point: pick, in every resample, the best among the points that cost at most as much; the optimism is how
    much worse that pick is on the full sample than in the resample it was picked in, on average (Efron's bootstrap
    estimate of optimism, J. Am. Stat. Assoc. 78 (1983) 316).

    Args:
        errors: `(n,)` on the full sample.
        replicates: `(n, r)`.
        shares: `(n,)`.
    """
    order = np.lexsort((errors, shares))
    corrected = np.empty(len(errors))
    columns = np.arange(replicates.shape[1])
    for rank, i in enumerate(order):
        eligible = order[: rank + 1]
        picks = eligible[np.argmin(replicates[eligible], axis=0)]
        corrected[i] = errors[i] + float(np.mean(errors[picks] - replicates[picks, columns]))
    return corrected


def cheapest_as_good(errors: NDArray[np.float64], replicates: NDArray[np.float64], costs: NDArray[np.float64]) -> int:
    """Return the cheapest point within one paired standard error of the most precise.

    Args:
        errors: `(n,)`.
        replicates: `(n, r)`; the standard error of the difference to the best is half the width of its central 68 %
            over the resamples. Their standard deviation would not do: where few bits leave few distinct scores, a
            working point falls on a tie that everything passes in some resamples, and one such error of 1 hides all
            others.
        costs: `(n,)`.
    """
    best = int(np.lexsort((costs, errors))[0])
    low, high = np.quantile(replicates - replicates[best], [0.1587, 0.8413], axis=1)
    standard_errors = (high - low) / 2
    eligible = np.flatnonzero(errors - errors[best] <= standard_errors)
    return int(eligible[np.lexsort((errors[eligible], costs[eligible]))[0]])


@dataclass(frozen=True)
class Knee:
    """Where size stops to matter.

    Attributes:
        neurons: Fewest neurons of a network that no larger one beats significantly.
        difference: Its error minus that of the best of the larger ones.
        low: Lower end of the paired 95 % interval of that difference.
        high: Upper end.
        largest: Most neurons that were trained.
    """

    neurons: int
    difference: float
    low: float
    high: float
    largest: int

    def __str__(self) -> str:
        """The knee in words."""
        if self.neurons == self.largest:
            return f"no knee: the largest networks tried ({self.largest} neurons) are the most precise"
        return (
            f"nothing gained beyond {self.neurons} neurons: the most precise larger network gains "
            f"{self.difference:+.4f} (paired 95 % interval {self.low:+.4f} to {self.high:+.4f})"
        )


def find_knee(neurons: Sequence[int], errors: NDArray[np.float64], replicates: NDArray[np.float64]) -> Knee:
    """Return the smallest network that the most precise larger one does not beat in the paired 95 % interval.

    Args:
        neurons: `(n,)` hidden neurons.
        errors: `(n,)`.
        replicates: `(n, r)`.
    """
    sizes = np.asarray(neurons)
    largest = int(sizes.max())
    for size in np.unique(sizes):
        small, large = np.flatnonzero(sizes <= size), np.flatnonzero(sizes > size)
        if len(large) == 0:
            break
        a, b = small[np.argmin(errors[small])], large[np.argmin(errors[large])]
        low, high = np.quantile(replicates[a] - replicates[b], [0.025, 0.975])
        if low <= 0:
            return Knee(int(size), float(errors[a] - errors[b]), float(low), float(high), largest)
    return Knee(largest, 0.0, 0.0, 0.0, largest)

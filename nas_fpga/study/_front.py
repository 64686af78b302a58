"""The Pareto front over points, and what may be said of it given that every figure is noisy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.samplers import non_dominated
from nas_fpga.training import difference_interval


def front_of(errors: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return which points no other dominates.

    What everything passes, an error of 1, decides nothing: it is left out, however cheap, unless there is nothing else.

    Args:
        errors: `(n,)`.
        shares: `(n,)`.
    """
    on_front = np.flatnonzero(non_dominated(errors, shares))
    deciding = on_front[errors[on_front] < 1]
    return deciding if len(deciding) else on_front


def probability_undominated(replicates: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for every point, the share of the resamples in which no other dominates it.

    A point is dominated by a cheaper one that is as good, and by one of equal cost that is better.

    Args:
        replicates: `(n, r)` errors of every point in every resample; the same resamples for all points.
        shares: `(n,)`.
    """
    order = np.argsort(shares, kind="stable")
    cheaper, at_most = (np.searchsorted(shares[order], shares[order], side) for side in ("left", "right"))
    least = np.minimum.accumulate(replicates[order], axis=0)
    least = np.vstack([np.full((1, replicates.shape[1]), np.inf), least])  # row k: of the k cheapest
    undominated = (replicates[order] < least[cheaper]) & (replicates[order] <= least[at_most])
    probability = np.empty(len(shares))
    probability[order] = undominated.mean(axis=1)
    return probability


def selection_corrected(
    errors: NDArray[np.float64], replicates: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return errors with the optimism of picking the best of many added.

    For each point: pick, in every resample, the best among the points that cost at most as much; the optimism is how
    much worse that pick is on the full sample than in the resample it was picked in, on average (Efron's bootstrap
    estimate of optimism, J. Am. Stat. Assoc. 78 (1983) 316). The medians of the replicates are moved to the errors
    first: a working point derived anew from repeated rows has a bias of its own, which is no optimism. No error is
    above 1, be it a background efficiency or an error rate.

    Args:
        errors: `(n,)` on the full sample.
        replicates: `(n, r)`.
        shares: `(n,)`.
    """
    order = np.lexsort((errors, shares))
    at_most = np.searchsorted(shares[order], shares[order], "right")
    centred = replicates + (errors - np.median(replicates, axis=1))[:, None]
    least = np.full(replicates.shape[1], np.inf)  # error, in each resample, of the best so far
    picked = np.zeros(replicates.shape[1])  # and its error on the full sample
    optimism = np.empty(len(errors))
    for rank, i in enumerate(order):
        better = centred[i] < least
        least, picked = np.where(better, centred[i], least), np.where(better, errors[i], picked)
        optimism[rank] = max(np.mean(picked - least), 0.0)  # rare large errors of a pick are no pessimism
    corrected = np.empty(len(errors))
    corrected[order] = np.minimum(errors[order] + optimism[at_most - 1], 1.0)
    return corrected


def paired_standard_error(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far below their median a sixth of paired differences lie (15.87 %), over the last axis.

    For a normal distribution that is its standard deviation. The deviation itself would not do, nor any width that
    looks upwards: where few bits leave few distinct scores, a working point falls on a tie that everything passes in
    some resamples, and a network would count as good as any other because it is bad at times.
    """
    low, middle = np.quantile(differences, [0.1587, 0.5], axis=-1)
    return np.asarray(middle - low)


def cheapest_as_good(errors: NDArray[np.float64], replicates: NDArray[np.float64], costs: NDArray[np.float64]) -> int:
    """Return the cheapest point within one paired standard error of the most precise.

    Args:
        errors: `(n,)`.
        replicates: `(n, r)`.
        costs: `(n,)`.
    """
    best = int(np.lexsort((costs, errors))[0])
    eligible = np.flatnonzero(errors - errors[best] <= paired_standard_error(replicates - replicates[best]))
    return int(eligible[np.lexsort((errors[eligible], costs[eligible]))[0]])


@dataclass(frozen=True)
class Knee:
    """Where size stops to matter.

    Attributes:
        neurons: Fewest neurons of a network that no larger one beats by more than one paired standard error.
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
        said = f"{abs(self.difference):.4f}"
        if float(said) == 0:
            gain = "as precise"
        elif self.difference > 0:
            gain = f"{said} better, less than one paired standard error of a gain"
        else:
            gain = f"{said} worse"
        return (
            f"nothing gained beyond {self.neurons} neurons: the most precise larger network is {gain} "
            f"(95 % interval of the gain {self.low:+z.4f} to {self.high:+z.4f})"
        )


def find_knee(neurons: Sequence[int], errors: NDArray[np.float64], replicates: NDArray[np.float64]) -> Knee:
    """Return the smallest size whose best network no larger one beats by more than one paired standard error.

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
        if errors[a] - errors[b] <= paired_standard_error(replicates[a] - replicates[b]):
            low, high = difference_interval(replicates[a], replicates[b])
            return Knee(int(size), float(errors[a] - errors[b]), low, high, largest)
    return Knee(largest, 0.0, 0.0, 0.0, largest)

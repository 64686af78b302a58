"""Hypervolume in the plane of log10 error and log10 resource share, and its expected improvement.

Both axes end at 0 (everything passes, all of the limits used) and reach down to 1e-3 and 1e-6; the area is given as
the share of that rectangle.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nas_fpga.samplers._acquisition import expected_improvement

Array = NDArray[np.float64]

LOWEST_ERROR = -3.0
LOWEST_SHARE = -6.0


def staircase(errors: Array, shares: Array) -> tuple[Array, Array]:
    """Return the lower envelope of points as steps, one for each point that lowers it.

    Args:
        errors: log10 error `(n,)`.
        shares: log10 share `(n,)`.

    Returns:
        Edges `(k + 2,)`, ascending from -6 to 0, and levels `(k + 1,)`: the least error that is had at a share between
        two edges, 0 before the first point. Points outside the rectangle count at its border or not at all.
    """
    inside = (shares < 0) & (errors < 0)
    errors, shares = np.maximum(errors[inside], LOWEST_ERROR), np.maximum(shares[inside], LOWEST_SHARE)
    order = np.argsort(shares, kind="stable")
    errors, shares = errors[order], shares[order]
    levels = np.minimum.accumulate(np.concatenate([[0.0], errors]))
    lower = errors < levels[:-1]
    return np.concatenate([[LOWEST_SHARE], shares[lower], [0.0]]), np.append(0.0, errors[lower])


def hypervolume(errors: Array, shares: Array) -> float:
    """Return the dominated share of the rectangle, 0 to 1.

    Args:
        errors: log10 error `(n,)`.
        shares: log10 share `(n,)`.
    """
    edges, levels = staircase(errors, shares)
    return float(np.diff(edges) @ levels / (LOWEST_SHARE * -LOWEST_ERROR))


def non_dominated(errors: Array, shares: Array) -> NDArray[np.bool_]:
    """Return which points of `(n,)` no other beats: as good in both and better in one; of equal points the first."""
    order = np.lexsort((errors, shares))
    best = np.minimum.accumulate(np.concatenate([[np.inf], errors[order]]))[:-1]
    front = np.zeros(len(errors), bool)
    front[order] = errors[order] < best
    return front


def expected_hypervolume_improvement(
    means: Array,
    deviations: Array,
    shares: Array,
    share_deviations: ArrayLike,
    edges: Array,
    levels: Array,
) -> Array:
    """Return the expected growth of :func:`hypervolume` by candidates `(n,)`, exactly.

    A candidate adds the area between its error and the staircase, from its share to 0. With X its error, S its share,
    both normal and independent, that is a sum over steps of E[length of the step beyond S] E[max(level - X, 0)]; both
    are one-dimensional expected improvements (two unknowns: Emmerich, Deutz and Klinkenberg 2011, written as a sum of
    products). A share known before training has a deviation of 0, and the lengths are what they are.

    Args:
        means: Of the normal prediction of log10 error `(n,)`.
        deviations: Its standard deviations `(n,)`, above 0.
        shares: Means of log10 share `(n,)`.
        share_deviations: Its standard deviations, `(n,)` or one for all; at least 0.
        edges: Of the staircase `(k + 2,)`.
        levels: Of the staircase `(k + 1,)`.
    """
    beyond = _expected_excess(edges, shares[:, None], np.asarray(share_deviations, np.float64)[..., None])
    lengths = np.diff(beyond, axis=1)
    gains = expected_improvement(means[:, None], deviations[:, None], levels)
    gains -= expected_improvement(means, deviations, LOWEST_ERROR)[:, None]  # what lies below counts not
    improvement: Array = (lengths * gains).sum(axis=1) / (LOWEST_SHARE * LOWEST_ERROR)
    return improvement


def _expected_excess(edges: Array, shares: Array, deviations: Array) -> Array:
    """Return E[max(edge - S, 0)] of every edge `(n, k + 2)`; a known S below the rectangle counts as at its edge."""
    known = np.maximum(edges - np.maximum(shares, LOWEST_SHARE), 0)
    if not deviations.any():
        return known
    unknown = expected_improvement(shares, np.maximum(deviations, 1e-9), edges)
    return np.where(deviations > 0, unknown, known)

"""Hypervolume in the plane of log10 error and log10 resource share, and its expected improvement.

Both axes end at 0 (everything passes, all of the limits used) and reach down to 1e-3 and 1e-6; the area is given as
the share of that rectangle.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LOWEST_ERROR = -3.0
LOWEST_SHARE = -6.0


def staircase(errors: Array, shares: Array) -> tuple[Array, Array]:
    """Return the lower envelope of points as steps.

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
    edges = np.concatenate([[LOWEST_SHARE], shares[order], [0.0]])
    levels = np.concatenate([[0.0], np.minimum.accumulate(errors[order])])
    return edges, levels


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


def expected_improvement(means: Array, deviations: Array, levels: Array) -> Array:
    """Return E[max(level - X, 0)] of normal X (Jones, Schonlau and Welch 1998), broadcast over its arguments."""
    from scipy.special import ndtr

    z = (levels - means) / deviations
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    improvement: Array = np.maximum(deviations * (z * ndtr(z) + density), 0)
    return improvement


def expected_hypervolume_improvement(
    means: Array, deviations: Array, shares: Array, edges: Array, levels: Array
) -> Array:
    """Return the expected growth of :func:`hypervolume` by candidates of known share `(n,)`, exactly.

    With the share known, a candidate adds the area between its error and the staircase, from its share to 0: a sum
    over steps of their length times a one-dimensional expected improvement.

    Args:
        means: Of the normal prediction of log10 error `(n,)`.
        deviations: Its standard deviations `(n,)`, above 0.
        shares: log10 shares `(n,)`.
        edges: Of the staircase.
        levels: Of the staircase.
    """
    starts = np.clip(shares, LOWEST_SHARE, 0)[:, None]
    lengths = np.maximum(edges[1:] - np.maximum(edges[:-1], starts), 0)
    gains = expected_improvement(means[:, None], deviations[:, None], levels)
    gains = (
        gains - expected_improvement(means, deviations, np.array(LOWEST_ERROR))[:, None]
    )  # what lies below counts not
    improvement: Array = (lengths * gains).sum(axis=1) / (LOWEST_SHARE * LOWEST_ERROR)
    return improvement

"""One number for error and resources, for methods that minimise one.

Within the limits each loss is made of log10 error and log10 share, scaled to the unit square of the hypervolume. Over
the limits it is larger than any within and grows with the excess.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nas_fpga.samplers._base import Goal
from nas_fpga.samplers._hypervolume import LOWEST_ERROR, LOWEST_SHARE

Array = NDArray[np.float64]

Loss = Callable[[Array, Array], Array]
"""log10 error and log10 share `(n,)` to what is minimised `(n,)`."""

_AUGMENTATION = 0.05  # of the weighted sum (Knowles 2006): of two equal in the maximum the one better in the other wins


def precision_loss(errors: Array, shares: Array) -> Array:
    """Return log10 error within the limits, at most 0, and log10 share over them, at least 0."""
    return np.where(shares < 0, np.minimum(errors, 0), shares)


def area_loss(errors: Array, shares: Array) -> Array:
    """Return minus the share of the unit square that a candidate alone dominates, -1 to 0; over the limits the excess.

    It is the same for all proposals, for methods whose state would not bear another.
    """
    scaled_error, scaled_share = _scaled(errors, shares)
    return np.where(shares < 0, -(1 - scaled_error) * (1 - scaled_share), _excess(shares))


def chebyshev_loss(errors: Array, shares: Array, weight: float) -> Array:
    """Return the augmented Chebyshev scalarisation of ParEGO (Knowles 2006, IEEE TEC 10(1), equation 2).

    Args:
        errors: log10 error `(n,)`.
        shares: log10 share `(n,)`.
        weight: Of the error, 0 to 1; the rest is that of the share.
    """
    scaled_error, scaled_share = _scaled(errors, shares)
    of_error, of_share = weight * scaled_error, (1 - weight) * scaled_share
    within = np.maximum(of_error, of_share) + _AUGMENTATION * (of_error + of_share)
    return np.where(shares < 0, within, 1 + _AUGMENTATION + _excess(shares))


def draw_loss(goal: Goal, rng: np.random.Generator) -> Loss:
    """Return what one proposal minimises: for the front a scalarisation of random weight, to find all of it."""
    if goal == "precision":
        return precision_loss
    weight = rng.random()
    return lambda errors, shares: chebyshev_loss(errors, shares, weight)


def _scaled(errors: Array, shares: Array) -> tuple[Array, Array]:
    """Return both axes from 0 (1e-3 and 1e-6) to 1; what lies beyond counts at the border."""
    return np.clip(1 - errors / LOWEST_ERROR, 0, 1), np.clip(1 - shares / LOWEST_SHARE, 0, 1)


def _excess(shares: Array) -> Array:
    """Return by how much shares are over the limits, on the scale of the unit square."""
    excess: Array = shares / -LOWEST_SHARE
    return excess

"""Whether trials were worth their training: what ends a search early."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.samplers import Goal, Observation, hypervolume

_LEAST_GAIN = 1e-3  # of the hypervolume, or of the error: far below what the seed of a training changes


def has_gained(goal: Goal, before: Sequence[Observation[Any]], after: Sequence[Observation[Any]]) -> bool:
    """Tell whether trials gained at least a thousandth of what there was before them.

    Args:
        goal: What counts: ``front`` the hypervolume, ``precision`` the least error within the limits.
        before: Ended trials.
        after: Those that ended after them.
    """
    worth = _hypervolume if goal == "front" else _inverse_error
    had = worth(before)
    return worth([*before, *after]) > (1 + _LEAST_GAIN) * had


def _hypervolume(trials: Sequence[Observation[Any]]) -> float:
    errors, shares = _within(trials)
    return hypervolume(errors, shares)


def _inverse_error(trials: Sequence[Observation[Any]]) -> float:
    errors, _ = _within(trials)
    return float((10**-errors).max(initial=0.0))


def _within(trials: Sequence[Observation[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return log10 error and share of what is complete and within the limits, `(n,)` each."""
    told = [(o.log10_error, o.log10_share) for o in trials if o.state == "complete"]
    errors, shares = np.array(told, np.float64).reshape(-1, 2).T  # None becomes NaN
    within = np.isfinite(errors) & (shares < 0)
    return errors[within], shares[within]

"""The numeric form of figures: arrays of values with their 90 % intervals, before they become `Figure` values."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from nas_fpga.hardware._traits import Array

Quantity = Literal["lut", "ff", "dsp", "bram18", "latency_cycles", "ii_cycles", "period_ns"]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
VALUE, LOW, HIGH, ORIGINAL = range(4)  # the last before it was carried to another stage, NaN where it was not


def spread(value: ArrayLike, half_width_log: ArrayLike, original: ArrayLike = np.nan) -> Array:
    """Return `(4, ...)` value, low, high, original with an interval that is symmetric in the logarithm."""
    value, factor = np.broadcast_arrays(np.asarray(value, np.float64), np.exp(np.asarray(half_width_log, np.float64)))
    return between(value, value / factor, value * factor, original)


def between(value: ArrayLike, low: ArrayLike, high: ArrayLike, original: ArrayLike = np.nan) -> Array:
    """Return `(4, ...)` value, low, high, original."""
    return np.stack(np.broadcast_arrays(*(np.asarray(x, np.float64) for x in (value, low, high, original))))


def assemble(**costs: Array) -> Array:
    """Return a cost array `(7, 4, ...)`: :data:`QUANTITIES` by value, low, high, original; each is `(4, ...)`."""
    return np.stack(np.broadcast_arrays(*(costs[name] for name in QUANTITIES)))

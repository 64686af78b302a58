"""Binary digits of integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def trailing_zeros(integers: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return how many of the lowest digits of each integer are 0; none for 0 itself."""
    zeros: NDArray[np.int64] = np.bitwise_count(np.maximum(integers & -integers, 1) - 1).astype(np.int64)
    return zeros


def effective_bits(integers: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the digits of each integer from the highest to the lowest that is 1; the sign is not counted."""
    magnitudes = np.abs(integers.astype(np.int64))
    digits = np.frexp(magnitudes.astype(np.float64))[1] - trailing_zeros(magnitudes)
    return np.asarray(digits, np.int64)

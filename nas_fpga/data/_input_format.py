"""The number format in which raw features enter the design."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError


@dataclass(frozen=True, eq=False)
class InputFormat:
    """A saturating fixed-point format for every feature, with a power-of-two scale: what hardware does exactly.

    Feature `x` enters as the integer ``clip(floor(x * 2**f + 1/2), lo, hi)`` of its ``bits`` bits. The network sees
    that integer times ``2**-(f + scale)``: a moved binary point, which costs nothing and gives features about unit
    spread.

    Attributes:
        bits: `(d,)` int64, the sign included where there is one; 0 where the network does not use the feature, whose
            port stays and is not read.
        signed: `(d,)` bool; unsigned where no training value is negative.
        fraction_bits: `(d,)` int64, `f` above: the step is ``2**-f``. May be negative.
        scale_log2: `(d,)` int64, `scale` above.
    """

    bits: NDArray[np.int64]
    signed: NDArray[np.bool_]
    fraction_bits: NDArray[np.int64]
    scale_log2: NDArray[np.int64]

    @property
    def grid_bits(self) -> NDArray[np.int64]:
        """Fraction bits of what the network sees: integers count steps of ``2**-grid_bits``."""
        return self.fraction_bits + self.scale_log2

    @property
    def used(self) -> NDArray[np.bool_]:
        """Whether the network uses each feature, `(d,)`."""
        return self.bits > 0

    @property
    def lowest(self) -> NDArray[np.int64]:
        """Least integer of each feature, `(d,)`."""
        return np.where(self.signed & self.used, -(2 ** np.maximum(self.bits - 1, 0)), 0)

    @property
    def highest(self) -> NDArray[np.int64]:
        """Largest integer of each feature, `(d,)`."""
        return 2 ** np.maximum(self.bits - self.signed, 0) - 1

    @property
    def ends(self) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Least and largest value of each feature that the network sees, `(d,)` each."""
        low, high = (np.ldexp(ends.astype(np.float64), -self.grid_bits) for ends in (self.lowest, self.highest))
        return low, high

    def integers(self, features: NDArray[np.floating]) -> NDArray[np.int64]:
        """Return the integers `(n, d)` that enter the design for raw features `(n, d)`."""
        steps = np.floor(np.asarray(features, np.float64) * np.exp2(self.fraction_bits) + 0.5)
        return np.clip(steps, self.lowest, self.highest).astype(np.int64)

    def apply(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return what the network sees `(n, d)`, float32 and exact for at most 24 bits."""
        return (self.integers(features) * np.exp2(-self.grid_bits.astype(np.float64))).astype(np.float32)


def fit_input_format(features: NDArray[np.float32], bits: int = 10) -> InputFormat:
    """Choose the format from training rows: range from the 99.9 % quantile of |x|, scale from the spread.

    Args:
        features: `(n, d)` raw features of the training split.
        bits: Bits of every feature, 2 to 16.

    Raises:
        InputError: ``bits`` is out of range.
    """
    if not 2 <= bits <= 16:
        raise InputError(f"input bits {bits} must be from 2 to 16")
    signed = np.atleast_1d((features < 0).any(axis=0))
    magnitude = np.abs(features, dtype=np.float64)
    reach = np.quantile(magnitude, 0.999, axis=0)
    reach = np.where(reach > 0, reach, magnitude.max(axis=0))  # rare non-zeros: the quantile is 0, the largest is not
    integer_bits = np.frexp(reach)[1]  # smallest i with reach < 2**i
    spread = np.std(np.clip(features, -reach, reach), axis=0, dtype=np.float64)
    scale = np.rint(np.log2(np.where(spread > 0, spread, np.where(reach > 0, reach, 1.0))))
    return InputFormat(
        bits=np.full(len(signed), bits, np.int64),
        signed=signed,
        fraction_bits=(bits - signed.astype(np.int64) - integer_bits).astype(np.int64),
        scale_log2=scale.astype(np.int64),
    )

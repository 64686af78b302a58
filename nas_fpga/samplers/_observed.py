"""What the history says of the space, as arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.samplers._base import History
from nas_fpga.space import C, Rows, Space


@dataclass(frozen=True, eq=False)
class Observed:
    """Ended trials with a finite error whose candidates have a row, oldest first.

    Attributes:
        rows: Of the candidates `(n, columns)`.
        errors: log10 error `(n,)`.
        shares: log10 share of the limits `(n,)`; where none was measured, what is known before training.
    """

    rows: Rows
    errors: NDArray[np.float64]
    shares: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, which: slice | NDArray[np.int64]) -> Observed:
        """Return a part of them."""
        return Observed(self.rows[which], self.errors[which], self.shares[which])


def observed(space: Space[C], history: History[C]) -> Observed:
    """Return what of the history can be learned from; failed trials are left out."""
    ended = [
        observation
        for observation in history
        if observation.state == "complete"
        and observation.log10_error is not None
        and math.isfinite(observation.log10_error)
        and space.has_row(observation.candidate)
    ]
    rows = space.rows([observation.candidate for observation in ended])
    errors = np.array([observation.log10_error for observation in ended], np.float64)
    shares = np.array([observation.log10_share for observation in ended], np.float64)  # None becomes NaN
    if len(unknown := np.flatnonzero(~np.isfinite(shares))):
        shares[unknown] = space.prior_log10_share(rows[unknown])
    return Observed(rows, errors, shares)

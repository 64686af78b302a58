"""What the history says of the space, as arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.samplers._base import History, Observation
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


def log10_error(observation: Observation[Any]) -> float | None:
    """Return the error of a trial to learn from, None where there is none."""
    error = observation.log10_error
    if observation.state != "complete" or error is None or not math.isfinite(error):
        return None
    return float(error)


def observed(space: Space[C], history: History[C]) -> Observed:
    """Return what of the history can be learned from; failed trials are left out."""
    known = [(o, log10_error(o)) for o in history if space.has_row(o.candidate)]
    ended = [(observation, error) for observation, error in known if error is not None]
    rows = space.rows([observation.candidate for observation, _ in ended])
    errors = np.array([error for _, error in ended], np.float64)
    shares = np.array([observation.log10_share for observation, _ in ended], np.float64)  # None becomes NaN
    if len(unknown := np.flatnonzero(~np.isfinite(shares))):
        shares[unknown] = space.prior_log10_share(rows[unknown])
    return Observed(rows, errors, shares)

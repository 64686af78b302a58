"""Repeated cross-validation: what is measured on rows that a model has not seen, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.int64]

N_FOLDS, N_REPETITIONS = 5, 5


@dataclass(frozen=True)
class Measured:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        """`0.31 [0.24, 0.38]` for `.2f`, `31 % [24, 38]` and `0.4 % [-0.2, 1.0]` for `%`."""
        if spec != "%":
            return f"{self.value:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"
        value, low, high = map(_percent, (self.value, self.low, self.high))
        return f"{value} % [{low}, {high}]"


def _percent(part: float) -> str:
    text = f"{100 * part:.0f}" if abs(part) >= 0.0995 else f"{100 * part:.1f}"
    return text.removeprefix("-") if float(text) == 0 else text


def folds(groups: Places, rng: np.random.Generator) -> Iterator[tuple[Places, Places]]:
    """Yield the rows to fit and those held out, 5 x 5 times; every row is held out once in each repetition.

    Args:
        groups: Of each row `(n,)`, from 0; at least 5. Rows of one group are always on the same side.
        rng: Of the divisions.
    """
    for _ in range(N_REPETITIONS):
        fold_of = rng.permutation(groups.max() + 1) % N_FOLDS
        for fold in range(N_FOLDS):
            held_out = fold_of[groups] == fold
            yield np.flatnonzero(~held_out), np.flatnonzero(held_out)


def measure(values: Array, weights: Array) -> tuple[Array, Array, Array]:
    """Return means over folds `(...)` with the ends of their 95 % intervals, each `(...)`.

    The standard error is that of Nadeau and Bengio (2003), "Inference for the generalization error", equation 9:
    folds share most of the rows that they fit, so that the variance between them is multiplied by 1/J + n_2/n_1, with
    J folds in all and the ratio of rows held out to rows fitted. With a new fit in every fold, it holds for
    importances and partial dependence too (Molnar et al., 2023, arXiv:2109.01433).

    Args:
        values: One row a fold `(J, ...)`.
        weights: Rows held out in each fold `(J,)`.
    """
    from scipy.stats import t

    n = len(values)
    mean = np.average(values, axis=0, weights=weights)
    variance = ((values - mean) ** 2).sum(axis=0) / (n - 1)
    margin = t.ppf(0.975, n - 1) * np.sqrt((1 / n + 1 / (N_FOLDS - 1)) * variance)
    return mean, mean - margin, mean + margin

"""The surrogate: extremely randomised trees, and what they say of the rows that were held out from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.int64]

_TREES = 50
_LEAF = 2  # of 1 and 2 rows the better held out, on 30 to 200 random candidates of the reference task
_SHIFTS = 4  # shuffles of each group in each fold
_BACKGROUND = 64  # held-out rows in each fold over which partial dependence is averaged
_GRID = 12  # places of a partial dependence, where values are more


@dataclass(frozen=True, eq=False)
class Probe:
    """What a surrogate says of the rows that were held out from it.

    Attributes:
        rows: Their places `(m,)`.
        predictions: Of their targets `(m,)`.
        explained: R2, with the variance of all targets.
        importances: Of each group, as parts of that variance `(g,)`.
        dependences: Partial dependences of all descriptors, one after the other.
    """

    rows: Places
    predictions: Array
    explained: float
    importances: Array
    dependences: Array


@dataclass(frozen=True, eq=False)
class Surrogates:
    """A table of rows, to a part of which a surrogate is fitted and on the rest of which it is asked.

    Attributes:
        x: Scaled values of descriptors `(n, k)`.
        y: Targets `(n,)`.
        columns: Of each group.
        grids: Of each descriptor, where to read its partial dependence.
    """

    x: Array
    y: Array
    columns: Sequence[Sequence[int]]
    grids: Sequence[Array]

    def probe(self, fitted: Places, held_out: Places, rng: np.random.Generator) -> Probe:
        """Fit a surrogate to some rows and return what it says of others.

        Args:
            fitted: Rows to fit.
            held_out: Rows to ask about.
            rng: Of the trees and the shuffles.
        """
        from sklearn.ensemble import ExtraTreesRegressor

        seed = int(rng.integers(2**31))
        model = ExtraTreesRegressor(_TREES, max_features=1.0, min_samples_leaf=_LEAF, random_state=seed)
        model.fit(self.x[fitted], self.y[fitted])
        rows = rng.permutation(held_out)
        x, y, variance = self.x[rows], self.y[rows], self.y.var()
        n_shifts = min(_SHIFTS, len(x) - 1)
        shuffled = [_shifted(x, group, shift) for group in self.columns for shift in range(1, n_shifts + 1)]
        background = x[:_BACKGROUND]
        at_places = [_at(background, k, grid) for k, grid in enumerate(self.grids)]
        questions = [x, *shuffled, *at_places]
        ends = np.cumsum([len(question) for question in questions])[:-1]
        answers = np.split(model.predict(np.concatenate(questions)), ends)  # all at once: a call costs a millisecond
        errors = ((y - answers[0]) ** 2).mean()
        after = [((y - answer) ** 2).mean() for answer in answers[1 : 1 + len(shuffled)]]
        of_groups = np.reshape(after, (len(self.columns), n_shifts)).mean(axis=1)
        curves = [answer.reshape(len(background), -1).mean(axis=0) for answer in answers[1 + len(shuffled) :]]
        explained, importances = 1 - errors / variance, (of_groups - errors) / (2 * variance)
        return Probe(rows, answers[0], float(explained), importances, np.concatenate(curves))


def _shifted(x: Array, columns: Sequence[int], shift: int) -> Array:
    """Return rows with some columns each from another row."""
    other = x.copy()
    other[:, columns] = np.roll(x[:, columns], shift, axis=0)
    return other


def _at(x: Array, column: int, places: Array) -> Array:
    """Return every row with every one of some values of a column."""
    rows = np.repeat(x, len(places), axis=0)
    rows[:, column] = np.tile(places, len(x))
    return rows


def grid_of(values: Array) -> Array:
    """Return all values of a descriptor, or where they are many some that divide the rows evenly."""
    distinct = np.unique(values)
    if len(distinct) <= _GRID:
        return distinct
    evenly = np.quantile(values, np.linspace(0.02, 0.98, _GRID), method="nearest")
    return np.unique(evenly)

"""A space of columns: what tables of trained networks, and tests of samplers, are searched through."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.space import Rows, Space
from nas_fpga.space._base import BLOCKS

Kind = Literal["ordinal", "log", "categorical"]

_LISTED = 200_000  # rows of a space up to which all are held in memory: below a second and 10 MB
_BLOCK = 2048  # rows drawn at once of a larger space
_ANCHORS = 2048  # feasible rows to fall back on in a larger space
_SHORT = 10  # levels of a column up to which a move is one level


@dataclass(frozen=True)
class Column:
    """One column of a space: its name and levels.

    Attributes:
        name: Of the column.
        levels: Plain values, none twice; ascending unless they are categorical.
        kind: ``ordinal``, equally far apart; ``log``, positive numbers that are compared by their logarithm;
            ``categorical``, all equally far from each other.
    """

    name: str
    levels: tuple[Any, ...]
    kind: Kind = "ordinal"

    def __post_init__(self) -> None:
        """Refuse a column of an unknown kind, without levels, with one twice, or of logarithms of what is not positive.

        Raises:
            InputError: With the column and the value.
        """
        if self.kind not in get_args(Kind):
            raise InputError(f"kind '{self.kind}' of column {self.name} is not one of {', '.join(get_args(Kind))}")
        if not self.levels or len(set(self.levels)) < len(self.levels):
            raise InputError(f"column {self.name} must have levels, none twice, not {self.levels}")
        if self.kind == "log" and not all(level > 0 for level in self.levels):
            raise InputError(f"levels {self.levels} of log column {self.name} must be positive")

    @cached_property
    def places(self) -> NDArray[np.float64]:
        """Features of each level `(n, 1)`, from 0 to 1; of a categorical column `(n, n)`, one coordinate each."""
        n = len(self.levels)
        if self.kind == "categorical":
            return np.eye(n)
        at = np.log(self.levels) if self.kind == "log" else np.arange(n, dtype=np.float64)
        places: NDArray[np.float64] = (at - at.min()) / max(np.ptp(at), 1e-12)
        return places[:, None]


@dataclass(frozen=True, eq=False)
class ColumnSpace(Space[tuple[Any, ...]]):
    """All combinations of the levels of some columns, or those of them that are allowed.

    A candidate is the tuple of its values, a row the places of these among the levels. The unit cube has a coordinate
    for each column, cut in equal parts by its levels. A move changes one column: to the next level up or down (by up to
    a tenth of them, of many), or to any other one if it is categorical.

    Attributes:
        columns: What is searched.
        allowed: Rows that are feasible `(n, columns)`, or a function from rows to which are `(n,)`; None for all. It is
            to be picklable, as samplers are: a function of a module.
        known_share: From rows to log10 of the resource share known before training `(n,)`; None where nothing is known.
    """

    columns: tuple[Column, ...]
    allowed: Rows | Callable[[Rows], NDArray[np.bool_]] | None = None
    known_share: Callable[[Rows], NDArray[np.float64]] | None = None

    def __post_init__(self) -> None:
        """Refuse a space of nothing.

        Raises:
            InputError: There are no columns, or nothing is allowed.
        """
        if not self.columns:
            raise InputError("a space must have a column")
        _ = self._found

    # Values and rows

    def rows(self, candidates: Sequence[tuple[Any, ...]]) -> Rows:
        """Return candidates as rows `(n, columns)`; all must have a row."""
        found = [[at[value] for at, value in zip(self._places, of, strict=True)] for of in candidates]
        return np.array(found, np.int32).reshape(len(found), len(self.columns))

    def candidates(self, rows: Rows) -> list[tuple[Any, ...]]:
        """Return rows as tuples of values."""
        levels = [column.levels for column in self.columns]
        return [tuple(of[i] for of, i in zip(levels, row, strict=True)) for row in rows.tolist()]

    def has_row(self, candidate: tuple[Any, ...]) -> bool:
        """Tell whether every value is a level of its column."""
        return len(candidate) == len(self._places) and all(
            value in at for at, value in zip(self._places, candidate, strict=True)
        )

    def __contains__(self, candidate: object) -> bool:
        """Tell whether a candidate may be proposed."""
        if not isinstance(candidate, tuple) or not self.has_row(candidate):
            return False
        return bool(self.feasible(self.rows([candidate]))[0])

    def feasible(self, rows: Rows) -> NDArray[np.bool_]:
        """Return which rows are allowed `(n,)`."""
        inside: NDArray[np.bool_] = np.all((rows >= 0) & (rows < self._counts), axis=1)
        if callable(self.allowed):
            inside[inside] = self.allowed(rows[inside])
        elif self.allowed is not None:
            inside[inside] = np.isin(self._numbers(rows[inside]), self._allowed_numbers)
        return inside

    # Proposals

    def sample(self, rng: np.random.Generator, n: int) -> Rows:
        """Return ``n`` feasible rows, all equally likely; rows may repeat.

        Where nearly all of many combinations are refused, what was found, now or when the space was made, is made up to
        ``n`` by moves from it.
        """
        if self._listed is not None:
            return self._listed[rng.integers(len(self._listed), size=n)]
        rows = self._drawn(rng, n)
        return rows if len(rows) == n else self._made_up(rng, rows if len(rows) else self._found, n)

    def _drawn(self, rng: np.random.Generator, n: int) -> Rows:
        """Return at most ``n`` feasible rows, of so many that are drawn."""

        def draw(size: int) -> Rows:
            return rng.integers(self._counts, size=(size, len(self.columns))).astype(np.int32)

        return self._feasible_of(draw, n, _BLOCK)

    @cached_property
    def _found(self) -> Rows:
        """What is known to be allowed, at least one row.

        Raises:
            InputError: Nothing was found.
        """
        if self._listed is not None:
            if not len(self._listed):
                raise InputError(f"none of the {self._n_combinations} combinations of the columns is allowed")
            return self._listed
        if not len(rows := self._drawn(np.random.default_rng(0), 1)):
            raise InputError(f"no allowed row was found in {BLOCKS * _BLOCK} of {self._n_combinations}; allow more")
        return rows

    def moves(self, rng: np.random.Generator, rows: Rows, n: int) -> Rows:
        """Return at most ``n`` feasible neighbours of rows, each with one column changed; see :meth:`Space.moves`."""
        moved = rows[rng.integers(len(rows), size=n)]
        free = np.flatnonzero(self._counts > 1)
        if not len(free):
            return moved[:0]
        which = free[rng.integers(len(free), size=n)]
        counts, at = self._counts[which], moved[np.arange(n), which]
        furthest = np.maximum(counts // _SHORT, 1)
        steps = rng.integers(1, furthest + 1) * rng.choice([-1, 1], size=n)
        steps = np.where((at + steps < 0) | (at + steps >= counts), -steps, steps)
        others = rng.integers(1, counts)  # round the levels, so that every other one is as likely
        categorical = np.array([column.kind == "categorical" for column in self.columns])[which]
        moved[np.arange(n), which] = np.where(categorical, (at + others) % counts, at + steps)
        return moved[self.feasible(moved)]

    # Encodings

    def encode(self, rows: Rows) -> NDArray[np.float64]:
        """Return a feature from 0 to 1 for each ordinal and log column, one for each level of a categorical one."""
        places = [column.places[rows[:, i]] for i, column in enumerate(self.columns)]
        return np.concatenate(places, axis=1)

    @property
    def n_unit(self) -> int:
        """Coordinates of the unit cube: the columns."""
        return len(self.columns)

    def to_unit(self, rows: Rows) -> NDArray[np.float64]:
        """Return the middle of each level's part of the unit cube `(n, n_unit)`."""
        middle: NDArray[np.float64] = (rows + 0.5) / self._counts
        return middle

    def from_unit(self, points: NDArray[np.float64]) -> Rows:
        """Return a feasible row for each point of the unit cube `(n, n_unit)`: where it lies, or the nearest.

        The nearest is that of all rows of a space of up to 200,000, of 2,048 at random of a larger one.
        """
        rows = np.minimum((points * self._counts).astype(np.int32), self._counts - 1).astype(np.int32)
        for i in np.flatnonzero(~self.feasible(rows)):
            anchors, places = self._anchors
            rows[i] = anchors[((places - self.encode(rows[i : i + 1])) ** 2).sum(axis=1).argmin()]
        return rows

    def prior_log10_share(self, rows: Rows) -> NDArray[np.float64]:
        """Return log10 of the resource share known before training `(n,)`."""
        return super().prior_log10_share(rows) if self.known_share is None else self.known_share(rows)

    # The whole space

    def size(self) -> int:
        """Return how many rows are allowed; of a space of more than 200,000 how many combinations there are."""
        return self._n_combinations if self._listed is None else len(self._listed)

    def enumerate(self) -> Iterator[tuple[Any, ...]]:
        """Yield every candidate once, the last column fastest."""
        if self._listed is not None:
            yield from self.candidates(self._listed)
            return
        every = itertools.product(*(range(count) for count in self._counts))
        while block := list(itertools.islice(every, _BLOCK)):
            rows = np.array(block, np.int32)
            yield from self.candidates(rows[self.feasible(rows)])

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        return np.array([len(column.levels) for column in self.columns])

    @cached_property
    def _places(self) -> list[dict[Any, int]]:
        """The place of each value among the levels, by column."""
        return [{level: i for i, level in enumerate(column.levels)} for column in self.columns]

    @cached_property
    def _n_combinations(self) -> int:
        return math.prod(len(column.levels) for column in self.columns)

    def _numbers(self, rows: Rows) -> NDArray[np.int64]:
        """Return the place of rows among all combinations."""
        numbers: NDArray[np.int64] = np.ravel_multi_index(tuple(rows.T.astype(np.int64)), tuple(self._counts))
        return numbers

    @cached_property
    def _allowed_numbers(self) -> NDArray[np.int64]:
        """Sorted places of the rows that are allowed, where these are listed."""
        return np.unique(self._numbers(np.asarray(self.allowed)))

    @cached_property
    def _listed(self) -> Rows | None:
        """All feasible rows, None of a space of many."""
        if self.allowed is not None and not callable(self.allowed):
            numbers = self._allowed_numbers
        elif self._n_combinations <= _LISTED:
            numbers = np.arange(self._n_combinations)
        else:
            return None
        rows = np.stack(np.unravel_index(numbers, tuple(self._counts)), axis=1).astype(np.int32)
        return rows[self.feasible(rows)]

    @cached_property
    def _anchors(self) -> tuple[Rows, NDArray[np.float64]]:
        """Feasible rows, and their features, to fall back on."""
        rows = self.sample(np.random.default_rng(0), _ANCHORS) if self._listed is None else self._listed
        return rows, self.encode(rows)

"""The contract of all spaces."""

from __future__ import annotations

import abc
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import NasFpgaError
from nas_fpga.space._rows import Rows

C = TypeVar("C", bound=Hashable)
"""What a space holds: a frozen value."""

BLOCKS = 40  # drawn at most for one sample, which bounds its time where the limits refuse nearly all
SMALL = 50_000  # a space of at most so many candidates is enumerated where sampling runs dry: under a second

_BLOCK = 512  # candidates drawn at once: about 2 ms
_DRY_BLOCKS = 4  # without one new candidate
_ROUNDS = 10  # of moves, at most, where sampling finds too little


class SpaceExhausted(NasFpgaError):  # noqa: N818 - an end that callers expect, like StopIteration
    """Fewer candidates are left than were asked for; ``remaining`` holds those that are."""

    def __init__(self, remaining: Sequence[Hashable], asked: int) -> None:
        """Keep the candidates that are left."""
        super().__init__(f"{len(remaining)} new candidates are left of {asked} asked; widen the space or end here")
        self.remaining: tuple[Any, ...] = tuple(remaining)


class Space(abc.ABC, Generic[C]):
    """What may be proposed, and how samplers see it.

    A candidate has three forms. The *value* is what is trained. The *row* is an array of integers, in which pools of
    thousands are drawn, moved, checked and costed; two candidates of one space are equal if their rows are. The *unit
    point* lies in a cube, for methods that know nothing but numbers from 0 to 1. Models learn from a fourth array, the
    *features*, which need not be invertible. Everything that leaves a space is feasible.
    """

    unlimited: bool = False
    """Whether no cost is refused: then models need not ask how likely a candidate keeps the limits."""

    # Values and rows

    @abc.abstractmethod
    def rows(self, candidates: Sequence[C]) -> Rows:
        """Return candidates as rows `(n, columns)` int32; all must have a row."""

    @abc.abstractmethod
    def candidates(self, rows: Rows) -> list[C]:
        """Return rows as candidates."""

    @abc.abstractmethod
    def has_row(self, candidate: C) -> bool:
        """Tell whether rows can hold a candidate, feasible or not; a user may have trained others."""

    @abc.abstractmethod
    def feasible(self, rows: Rows) -> NDArray[np.bool_]:
        """Return which rows lie inside the space `(n,)`."""

    def keys(self, candidates: Sequence[C]) -> set[bytes]:
        """Return the rows of candidates as bytes, to look others up in; those that have none are left out."""
        return {row.tobytes() for row in self.rows([c for c in candidates if self.has_row(c)])}

    # Proposals

    @abc.abstractmethod
    def sample(self, rng: np.random.Generator, n: int) -> Rows:
        """Return ``n`` feasible rows at random; rows may repeat."""

    @abc.abstractmethod
    def moves(self, rng: np.random.Generator, rows: Rows, n: int) -> Rows:
        """Return at most ``n`` feasible neighbours of rows, each by one local move from a row picked at random.

        Args:
            rng: Source of randomness.
            rows: Where to start, at least one.
            n: How many moves to make.
        """

    def _feasible_of(self, draw: Callable[[int], Rows], n: int, block: int = _BLOCK) -> Rows:
        """Return at most ``n`` feasible rows of what ``draw`` gives, ``block`` (at least ``n``) at once."""
        found: list[Rows] = []
        while not found or (len(found) < BLOCKS and sum(map(len, found)) < n):
            drawn = draw(max(n, block))
            found.append(drawn[self.feasible(drawn)])
        return np.concatenate(found)[:n]

    def _made_up(self, rng: np.random.Generator, rows: Rows, n: int) -> Rows:
        """Return ``n`` rows: these, at least one, then moves from all that there are, then some of them again."""
        for _ in range(_ROUNDS):
            if len(rows) < n:
                rows = np.concatenate([rows, self.moves(rng, rows, n)])
        return np.concatenate([rows[:n], rows[rng.integers(len(rows), size=max(n - len(rows), 0))]])

    def unseen(self, rng: np.random.Generator, taken: Sequence[C]) -> Iterator[C]:
        """Yield candidates at random, none twice and none of ``taken``.

        When sampling finds nothing new any more, a small space is enumerated, so all of it is reached; in a large one,
        of which limits may leave little, moves go on from all that is known. How many are taken from the iterator does
        not change them.
        """
        seen = self.keys(taken)
        dry = 0
        while dry < _DRY_BLOCKS:
            dry += 1
            for row in self.sample(rng, _BLOCK):
                if (key := row.tobytes()) not in seen:
                    seen.add(key)
                    dry = 0
                    yield self.candidates(row[None])[0]
        if self.size() <= SMALL:
            rest = [row for row in self._enumerated if row.tobytes() not in seen]
            for i in rng.permutation(len(rest)):
                yield self.candidates(rest[i][None])[0]
        else:
            yield from self._near(rng, seen)

    def _near(self, rng: np.random.Generator, seen: set[bytes]) -> Iterator[C]:
        """Yield what moves reach from rows that are seen, and from what they reach, until they find nothing new."""
        rows = np.array([np.frombuffer(key, np.int32) for key in sorted(seen)])  # a set has no order
        known = list(rows[self.feasible(rows)]) if len(rows) else []
        dry = 0
        while known and dry < _DRY_BLOCKS:
            dry += 1
            for row in self.moves(rng, np.array(known), _BLOCK):
                if (key := row.tobytes()) not in seen:
                    seen.add(key)
                    known.append(row)
                    dry = 0
                    yield self.candidates(row[None])[0]

    # What models learn from

    @abc.abstractmethod
    def encode(self, rows: Rows) -> NDArray[np.float64]:
        """Return features `(n, k)`, about 0 to 1, in which similar candidates are near."""

    def features(self, candidates: Sequence[C]) -> NDArray[np.float64]:
        """Return the features of candidates, also of such as lie outside the space `(n, k)`; see :meth:`has_features`.

        A space that can encode candidates without a row overrides both.
        """
        return self.encode(self.rows(candidates))

    def has_features(self, candidate: C) -> bool:
        """Tell whether models can learn from a candidate: by default whether it has a row."""
        return self.has_row(candidate)

    @property
    @abc.abstractmethod
    def n_unit(self) -> int:
        """Coordinates of the unit cube."""

    @abc.abstractmethod
    def to_unit(self, rows: Rows) -> NDArray[np.float64]:
        """Return a point of the unit cube `(n, n_unit)` for each row: one that :meth:`from_unit` decodes to it."""

    @abc.abstractmethod
    def from_unit(self, points: NDArray[np.float64]) -> Rows:
        """Return a feasible row for each point of the unit cube `(n, n_unit)`."""

    def prior_log10_share(self, rows: Rows) -> NDArray[np.float64]:
        """Return log10 of the resource share known before training `(n,)`; without any knowledge the same for all."""
        return np.full(len(rows), -1.0)

    def training_time(self, rows: Rows) -> NDArray[np.float64]:
        """Return how long candidates are expected to train, in any unit `(n,)`."""
        return np.ones(len(rows))

    # The whole space

    @abc.abstractmethod
    def size(self) -> int:
        """Return how many candidates there are at most."""

    @abc.abstractmethod
    def enumerate(self) -> Iterator[C]:
        """Yield every candidate once; see :meth:`size` first."""

    @cached_property
    def _enumerated(self) -> Rows:
        """All rows of a small space."""
        return self.rows(list(self.enumerate()))

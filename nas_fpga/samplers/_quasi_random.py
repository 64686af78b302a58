"""Space-filling sequences: Sobol's, and Latin hypercubes one after the other."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.samplers._base import History, Sampler
from nas_fpga.samplers._proposals import random_generator, take, taken
from nas_fpga.space import C, Space

_AHEAD = 64  # points decoded at once
_TRIED = 512  # points looked at before candidates are drawn at random: few are left then


@dataclass(frozen=True)
class QuasiRandomSampler(Sampler[C]):
    """Proposes the candidates of a sequence of points of the unit cube.

    A proposal stands at the place of its trial in the sequence, so that a resumed search goes on with it. A point whose
    candidate is taken is passed over. Where 512 points give nothing new, the rest of the space comes at random.

    Attributes:
        space: What may be proposed.
        seed: Seed of the search.
    """

    space: Space[C]
    seed: int

    def ask(self, history: History[C], pending: Sequence[C], n: int) -> list[C]:
        """Return the next ``n`` candidates; see :meth:`Sampler.ask`."""
        return take(self._proposals(history, pending), n)

    def _proposals(self, history: History[C], pending: Sequence[C]) -> Iterator[C]:
        done = taken(history, pending)
        seen = self.space.keys(done)
        place, passed = len(done), 0
        while passed < _TRIED:
            for row in self.space.from_unit(self.points(place, _AHEAD)):
                passed += 1
                if row.tobytes() not in seen:
                    seen.add(row.tobytes())
                    done.append(self.space.candidates(row[None])[0])
                    passed = 0
                    yield done[-1]
            place += _AHEAD
        yield from self.space.unseen(random_generator(self.seed, history, pending), done)

    @abc.abstractmethod
    def points(self, start: int, n: int) -> NDArray[np.float64]:
        """Return points ``start`` to ``start + n`` of the sequence `(n, n_unit)`."""


@dataclass(frozen=True)
class SobolSampler(QuasiRandomSampler[C]):
    """Proposes along Sobol's sequence, scrambled by the seed (Owen 1998), as `scipy.stats.qmc` has it."""

    def points(self, start: int, n: int) -> NDArray[np.float64]:
        """Return points ``start`` to ``start + n`` of the sequence `(n, n_unit)`."""
        sequence = _qmc().Sobol(self.space.n_unit, scramble=True, seed=np.random.default_rng(self.seed))
        if start:
            sequence.fast_forward(start)
        points: NDArray[np.float64] = sequence.random(n)
        return points


@dataclass(frozen=True)
class LatinHypercubeSampler(QuasiRandomSampler[C]):
    """Proposes the points of Latin hypercubes (McKay, Beckman and Conover 1979), one after the other.

    In each of them, every coordinate has exactly one point in each of ``size`` equal parts.

    Attributes:
        size: Points of one hypercube.
    """

    size: int = 100

    def __post_init__(self) -> None:
        """Refuse a hypercube without points."""
        if self.size < 1:
            raise InputError(f"size {self.size} of a Latin hypercube must be at least 1")

    def points(self, start: int, n: int) -> NDArray[np.float64]:
        """Return points ``start`` to ``start + n`` of the sequence `(n, n_unit)`."""
        first, last = start // self.size, (start + n - 1) // self.size
        cubes = np.concatenate([self._hypercube(number) for number in range(first, last + 1)])
        return cubes[start - first * self.size :][:n]

    def _hypercube(self, number: int) -> NDArray[np.float64]:
        sequence = _qmc().LatinHypercube(self.space.n_unit, seed=np.random.default_rng([self.seed, number]))
        points: NDArray[np.float64] = sequence.random(self.size)
        return points


def _qmc() -> Any:
    from scipy.stats import qmc

    return qmc

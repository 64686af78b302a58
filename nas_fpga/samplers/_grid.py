"""Grid search over the widths of a fixed number of layers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nas_fpga.errors import InputError
from nas_fpga.samplers._base import History, Sampler
from nas_fpga.samplers._proposals import take, taken
from nas_fpga.space import BitWidths, Candidate, LearnedBits, MLPSpace

Grid = tuple[tuple[int, ...], ...]
"""The topologies of a grid."""

# Magniette, Hakimi and Sauvan give the number of points (294), the range (1 to 2,000 neurons a layer) and the best
# point (750-1000-750), not the lattice. This one is a reconstruction: 6 x 7 x 7 points that have these properties.
_REFERENCE_AXES = (
    (1, 250, 500, 750, 1250, 2000),
    (1, 250, 500, 750, 1000, 1500, 2000),
    (1, 250, 500, 750, 1000, 1500, 2000),
)
_REFERENCE_MAX_WIDTH = 2000
_AT_ONCE = 4096  # points: one by one took 2 ms each


def reference_grid(max_width: int = _REFERENCE_MAX_WIDTH) -> Grid:
    """Return a reconstruction of the 294 three-layer topologies of the reference work, scaled to ``max_width``.

    Below a width of 12 some points of the lattice fall together, and each is kept once.

    Raises:
        InputError: The width is not positive.
    """
    if max_width < 1:
        raise InputError(f"max width {max_width} must be at least 1")
    axes = [[max(round(w * max_width / _REFERENCE_MAX_WIDTH), 1) for w in axis] for axis in _REFERENCE_AXES]
    return tuple(dict.fromkeys(itertools.product(*axes)))


def parse_grid(text: str) -> Grid:
    """Read a grid such as `8,16,32x8,16`: the widths of each layer by commas, the layers by `x`.

    Raises:
        InputError: The text is not of that form.
    """
    try:
        axes = [[int(width) for width in axis.split(",")] for axis in text.split("x")]
    except ValueError:
        axes = [[0]]
    if min(map(min, axes)) < 1:
        raise InputError(f"grid '{text}' is not of the form 8,16,32x8,16 (widths of each layer, all at least 1)")
    return tuple(dict.fromkeys(itertools.product(*axes)))


@dataclass(frozen=True)
class GridSampler(Sampler[Candidate]):
    """Proposes the points of a grid, in a fixed shuffled order so that a search cut short has seen all of its range.

    Points outside the space (over the budget, too wide or deep, refused by the limits) are dropped and counted.

    Attributes:
        space: What may be proposed.
        grid: The topologies.
    """

    space: MLPSpace
    grid: Grid

    def __post_init__(self) -> None:
        """Refuse a grid that lies outside the space as a whole, and a space that searches training settings.

        Raises:
            InputError: No point is left, or points of one topology would differ in training alone.
        """
        if self.space.training.names:
            raise InputError(
                f"the grid searches no training settings ({', '.join(self.space.training.names)}); leave "
                "--search-training out, give learned bits a --pressure, or take another sampler, such as gp"
            )
        if not self.points:
            raise InputError(
                f"all {len(self.grid)} points of the grid lie outside the space of {self._bounds}; widen it or "
                "give another --grid"
            )

    @property
    def _bounds(self) -> str:
        s = self.space
        widest = f" of up to {s.width_limit} neurons" if s.width_limit < s.budget else ""
        return f"{s.min_layers} to {s.max_layers} layers{widest}, {s.budget} neurons in all"

    @property
    def fixed_bits(self) -> BitWidths | LearnedBits:
        """Bit widths of all points: w6a6, or what is nearest to it in the space."""
        if self.space.learned_bits:
            return LearnedBits()
        ranges = (self.space.weight_bits, self.space.activation_bits)
        return BitWidths(*(min(max(6, low), high) for low, high in ranges))

    @cached_property
    def _all_points(self) -> list[Candidate]:
        order = np.random.default_rng(0).permutation(len(self.grid))
        return [Candidate(self.grid[i], self.fixed_bits, self.space.settings) for i in order]

    @cached_property
    def points(self) -> tuple[Candidate, ...]:
        """The points inside the space, in the order of their proposal."""
        s = self.space  # which they have bits and settings from: feasible is all of its membership that rows can hold
        held = [p for p in self._all_points if p.n_layers <= s.max_layers and max(p.topology) <= s.width_limit]
        feasible = [s.feasible(s.rows(held[i : i + _AT_ONCE])) for i in range(0, len(held), _AT_ONCE)]
        return tuple(itertools.compress(held, itertools.chain(*feasible)))

    @cached_property
    def dropped(self) -> tuple[Candidate, ...]:
        """The points outside the space."""
        inside = set(self.points)
        return tuple(point for point in self._all_points if point not in inside)

    @property
    def n_dropped(self) -> int:
        """Number of points outside the space."""
        return len(self.dropped)

    def describe(self) -> str:
        """Return one line for the user: how many points, with which bits, and how many were dropped."""
        return (
            f"grid: {len(self.points)} of {len(self.grid)} points at {self.fixed_bits}; {self.n_dropped} dropped "
            f"as outside {self._bounds}, or over the limits"
        )

    def ask(self, history: History[Candidate], pending: Sequence[Candidate], n: int) -> list[Candidate]:
        """Return the next ``n`` points; see :meth:`Sampler.ask`."""
        return take(self._left(history, pending), n)

    def _left(self, history: History[Candidate], pending: Sequence[Candidate]) -> Iterator[Candidate]:
        done = set(taken(history, pending))
        return (point for point in self.points if point not in done)

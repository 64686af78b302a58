"""The checkpoints of one member that are worth keeping."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Kept(Generic[T]):
    """A checkpoint with its two figures, both better when smaller."""

    loss: float
    cost: float
    what: T


@dataclass
class Front(Generic[T]):
    """Checkpoints none of which is as good as another in both figures; the first of equals stays."""

    kept: list[Kept[T]] = field(default_factory=list)

    def improves(self, loss: float, cost: float) -> bool:
        """Tell whether nothing kept is at least as good in both figures."""
        return not any(old.loss <= loss and old.cost <= cost for old in self.kept)

    def add(self, loss: float, cost: float, what: T) -> None:
        """Keep a checkpoint if it improves the front, and drop those that it dominates."""
        if self.improves(loss, cost):
            self.kept = [old for old in self.kept if old.loss < loss or old.cost < cost]
            self.kept.append(Kept(loss, cost, what))

    def thinned(self, most: int) -> list[Kept[T]]:
        """Return at most ``most`` of the checkpoints by falling cost, spread evenly in its logarithm.

        The best loss is among them. Of each step in cost the one of least loss is taken.
        """
        ordered = sorted(self.kept, key=lambda one: -one.cost)
        if len(ordered) <= most:
            return ordered
        low, high = (math.log1p(ordered[i].cost) for i in (-1, 0))
        best: dict[int, Kept[T]] = {}
        for one in ordered:
            step = min(int((high - math.log1p(one.cost)) / (high - low) * most), most - 1)
            if step not in best or one.loss < best[step].loss:
                best[step] = one
        return [best[step] for step in sorted(best)]

"""All topologies under a budget of hidden neurons: how many there are, and each in turn."""

from __future__ import annotations

import math
from collections.abc import Iterator


def count_topologies(budget: int, max_layers: int, max_width: int, min_layers: int = 1) -> int:
    """Return how many topologies there are, exactly.

    C(budget, d) topologies of d layers fit a budget; inclusion and exclusion of the layers above ``max_width`` corrects
    for that.
    """
    return sum(
        (1 - 2 * (j % 2)) * math.comb(d, j) * math.comb(budget - j * max_width, d)
        for d in range(min_layers, max_layers + 1)
        for j in range(d + 1)
        if j * max_width <= budget
    )


def topologies(budget: int, max_layers: int, max_width: int, min_layers: int = 1) -> Iterator[tuple[int, ...]]:
    """Yield all topologies, by depth, then widths."""

    def widths(depth: int, budget: int) -> Iterator[tuple[int, ...]]:
        if depth == 0:
            yield ()
            return
        for first in range(1, min(max_width, budget - depth + 1) + 1):
            for others in widths(depth - 1, budget - first):
                yield (first, *others)

    for depth in range(min_layers, max_layers + 1):
        yield from widths(depth, budget)

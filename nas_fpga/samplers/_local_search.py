"""Local search: one step from the best, and a new start where none helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.samplers._base import Goal, History, Sampler, refuse_unknown_goal
from nas_fpga.samplers._losses import draw_loss
from nas_fpga.samplers._observed import observed
from nas_fpga.samplers._proposals import propose, random_generator, take
from nas_fpga.space import C, Rows, Space

_MOVES = 64  # of which the first that is new is proposed


@dataclass(frozen=True)
class LocalSearchSampler(Sampler[C]):
    """Proposes neighbours of the best candidate so far, by the space's own moves.

    A strong baseline of architecture search (White, Nolen and Savani 2020, arXiv:2005.02960). Its neighbourhoods are
    too large to be tried out, so the search counts as stuck after ``patience`` trials without a better one. Then two
    generations are passed over, as some of them were in training and lie near the old best, with random candidates
    proposed meanwhile; the search goes on from the best of what follows. All of this is read off the history anew in
    every ask.

    For the front each proposal has its own best, by a scalarisation of random weight.

    Attributes:
        space: What may be proposed.
        seed: Seed of the search.
        n_startup: The first so many trials are random.
        goal: What is minimised.
        patience: Trials without a better one until the search starts anew.
        generation: Candidates proposed together.
    """

    space: Space[C]
    seed: int
    n_startup: int = 20
    goal: Goal = "front"
    patience: int = 40
    generation: int = 4

    def __post_init__(self) -> None:
        """Refuse an unknown goal and a patience or generation below 1."""
        refuse_unknown_goal(self.goal)
        for name in ("patience", "generation"):
            if (value := getattr(self, name)) < 1:
                raise InputError(f"{name} {value} must be at least 1")

    def ask(self, history: History[C], pending: Sequence[C], n: int) -> list[C]:
        """Return the next ``n`` candidates; see :meth:`Sampler.ask`."""
        rng = random_generator(self.seed, history, pending)
        seen = observed(self.space, history)

        def suggest(_: Sequence[C]) -> Rows | None:
            losses = draw_loss(self.goal, rng)(seen.errors, seen.shares)
            best = best_of_run(losses, self.patience, 2 * self.generation)
            return None if best is None else self.space.moves(rng, seen.rows[[best]], _MOVES)

        return take(propose(self.space, rng, history, pending, suggest, self.n_startup), n)


def best_of_run(losses: NDArray[np.float64], patience: int, passed_over: int) -> int | None:
    """Return the place of the best since the last new start, None where a new start is due.

    Args:
        losses: Of the trials in order `(n,)`.
        patience: Trials without a better one after which a new start is due.
        passed_over: Trials after that, which may have been proposed before it was known.
    """
    best: int | None = None
    start = 0
    for i, loss in enumerate(losses):
        if i < start:
            continue
        if best is None or loss < losses[best]:
            best, improved = i, i
        elif i - improved >= patience:
            best, start = None, i + 1 + passed_over
    return best

"""The covariance matrix adaptation evolution strategy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nas_fpga.samplers._base import Goal, History, Sampler, refuse_unknown_goal
from nas_fpga.samplers._losses import area_loss, precision_loss
from nas_fpga.samplers._observed import observed
from nas_fpga.samplers._proposals import propose, random_generator, take
from nas_fpga.space import C, Rows, Space

_SIGMA = 1 / 6  # of the unit cube, as Optuna starts


@dataclass(frozen=True)
class CMAESSampler(Sampler[C]):
    """Proposes what the package `cmaes` draws, which is what Optuna's sampler calls (Hansen 2016, arXiv:1604.00772).

    The strategy starts in the middle of the unit cube and is replayed from the history in every ask: each successive
    ended trials, as many as its population (4 + 3 log of the dimension), are told as one generation, at the points of
    the candidates that were trained rather than those that were drawn. Proposals come from the distribution that
    results; those in training do not matter to it. Failed trials are left out. A draw that decodes to a candidate
    already taken is replaced by a neighbour of it, or by a random candidate where those are taken too.

    It minimises one number that must be the same throughout: for precision the error within the limits; for the front
    minus the area that a candidate alone dominates.

    Attributes:
        space: What may be proposed.
        seed: Seed of the search.
        goal: What is minimised.
    """

    space: Space[C]
    seed: int
    goal: Goal = "front"

    def __post_init__(self) -> None:
        """Refuse an unknown goal."""
        refuse_unknown_goal(self.goal)

    def ask(self, history: History[C], pending: Sequence[C], n: int) -> list[C]:
        """Return the next ``n`` candidates; see :meth:`Sampler.ask`."""
        from cmaes import CMA

        rng = random_generator(self.seed, history, pending)
        seen = observed(self.space, history)
        losses = (precision_loss if self.goal == "precision" else area_loss)(seen.errors, seen.shares)
        n_unit = self.space.n_unit
        strategy = CMA(
            mean=np.full(n_unit, 0.5),
            sigma=_SIGMA,
            bounds=np.tile([0.0, 1.0], (n_unit, 1)),
            n_max_resampling=10 * n_unit,
            seed=int(rng.integers(2**31)),
        )
        solutions = list(zip(self.space.to_unit(seen.rows), losses.tolist(), strict=True))
        size = strategy.population_size
        for start in range(0, len(solutions) - size + 1, size):
            strategy.tell(solutions[start : start + size])

        def suggest(_: Sequence[C]) -> Rows:
            return self.space.from_unit(np.clip(strategy.ask(), 0, 1)[None])

        return take(propose(self.space, rng, history, pending, suggest), n)

"""Regularized evolution: the youngest live, and the best of a few of them has a child."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nas_fpga.errors import InputError
from nas_fpga.samplers._base import Goal, History, Sampler, refuse_unknown_goal
from nas_fpga.samplers._losses import draw_loss
from nas_fpga.samplers._observed import observed
from nas_fpga.samplers._proposals import propose, random_generator, take
from nas_fpga.space import C, Rows, Space

_MOVES = 64  # of which the first that is new is proposed


@dataclass(frozen=True)
class RegularizedEvolutionSampler(Sampler[C]):
    """Proposes children of the winner of a tournament among the youngest (Real et al. 2019, arXiv:1802.01548).

    The population is the last ``population`` trials that ended with an error: who is old dies, however good. The best
    of ``tournament`` of them, drawn without replacement, has a child by one move of the space. The paper has
    populations of 100 and tournaments of 25 for 20,000 trainings; the defaults here are for a hundred or so.

    For the front each tournament is won by a scalarisation of random weight.

    Attributes:
        space: What may be proposed.
        seed: Seed of the search.
        n_startup: The first so many trials are random.
        goal: What is minimised.
        population: How many live.
        tournament: How many of them compete for a child.
    """

    space: Space[C]
    seed: int
    n_startup: int = 20
    goal: Goal = "front"
    population: int = 20
    tournament: int = 5

    def __post_init__(self) -> None:
        """Refuse an unknown goal, and a tournament that is empty or larger than the population."""
        refuse_unknown_goal(self.goal)
        if not 1 <= self.tournament <= self.population:
            raise InputError(f"tournament {self.tournament} must be 1 to {self.population}, the population")

    def ask(self, history: History[C], pending: Sequence[C], n: int) -> list[C]:
        """Return the next ``n`` candidates; see :meth:`Sampler.ask`."""
        rng = random_generator(self.seed, history, pending)
        alive = observed(self.space, history)[-self.population :]

        def suggest(_: Sequence[C]) -> Rows | None:
            if not len(alive):
                return None
            competing = alive[rng.choice(len(alive), size=min(self.tournament, len(alive)), replace=False)]
            winner = draw_loss(self.goal, rng)(competing.errors, competing.shares).argmin()
            return self.space.moves(rng, competing.rows[[winner]], _MOVES)

        return take(propose(self.space, rng, history, pending, suggest, self.n_startup), n)

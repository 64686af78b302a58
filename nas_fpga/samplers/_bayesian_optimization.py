"""Adapter of the `bayesian-optimization` library, the optimiser of the reference work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.samplers._base import Goal, History, Sampler, refuse_unknown_goal
from nas_fpga.samplers._losses import draw_loss
from nas_fpga.samplers._observed import observed
from nas_fpga.samplers._proposals import propose, random_generator, take
from nas_fpga.space import C, Rows, Space

Acquisition = Literal["ucb", "ei", "poi"]

_KAPPA = 2.576  # the library's default: the 99 % quantile
_MOST_TOLD = 300
_XI = 0.01  # the library's default for expected improvement


@dataclass(frozen=True)
class BayesianOptimizationSampler(Sampler[C]):
    """Proposes what `bayesian-optimization` suggests in the unit cube of the space.

    That library maximises one number: minus the error within the limits, or for the front minus a scalarisation of
    random weight, drawn for each proposal. It is told the history anew in every proposal. Candidates in training are
    registered with the mean of what was observed (constant liar); failed ones are left out. A suggestion that decodes
    to a candidate already taken is replaced by a neighbour of it, or by a random candidate where those are taken too.
    Its time grows with the cube of the trials, so it is told the last 300 of them.

    Attributes:
        space: What may be proposed.
        seed: Seed of the search.
        acquisition: Upper confidence bound, expected improvement or probability of improvement.
        n_startup: The first so many trials are random.
        goal: What is minimised.
    """

    acquisitions: ClassVar[tuple[Acquisition, ...]] = get_args(Acquisition)

    space: Space[C]
    seed: int
    acquisition: Acquisition = "ucb"
    n_startup: int = 20
    goal: Goal = "front"

    def __post_init__(self) -> None:
        """Refuse unknown words and a negative number of random trials."""
        refuse_unknown_goal(self.goal)
        if self.acquisition not in self.acquisitions:
            raise InputError(f"acquisition '{self.acquisition}' is not one of {', '.join(self.acquisitions)}")
        if self.n_startup < 0:
            raise InputError(f"startup trials {self.n_startup} must be at least 0")

    def ask(self, history: History[C], pending: Sequence[C], n: int) -> list[C]:
        """Return the next ``n`` candidates; see :meth:`Sampler.ask`."""
        rng = random_generator(self.seed, history, pending)
        seen = observed(self.space, history)
        seen = seen[max(len(seen) - _MOST_TOLD, 0) :]
        places = self.space.to_unit(seen.rows)

        def suggest(waiting: Sequence[C]) -> Rows | None:
            if not len(seen):
                return None
            values = -draw_loss(self.goal, rng)(seen.errors, seen.shares)
            lies = self.space.to_unit(self.space.rows([c for c in waiting if self.space.has_row(c)]))
            return self._suggestion(rng, *_averaged(places, values), lies)

        return take(propose(self.space, rng, history, pending, suggest, self.n_startup), n)

    def _suggestion(
        self,
        rng: np.random.Generator,
        places: NDArray[np.float64],
        values: NDArray[np.float64],
        lies: NDArray[np.float64],
    ) -> Rows:
        """Return what the library suggests, as one row."""
        from bayes_opt import BayesianOptimization, acquisition

        functions: dict[Acquisition, Any] = {
            "ucb": lambda: acquisition.UpperConfidenceBound(kappa=_KAPPA),
            "ei": lambda: acquisition.ExpectedImprovement(xi=_XI),
            "poi": lambda: acquisition.ProbabilityOfImprovement(xi=_XI),
        }
        names = [f"u{i:02d}" for i in range(self.space.n_unit)]
        optimizer = BayesianOptimization(
            f=None,
            pbounds=dict.fromkeys(names, (0.0, 1.0)),
            acquisition_function=functions[self.acquisition](),
            random_state=int(rng.integers(2**31)),
            verbose=0,
            allow_duplicate_points=True,
        )
        told = dict.fromkeys(map(tuple, lies.tolist()), float(values.mean()))
        told |= dict(zip(map(tuple, places.tolist()), values.tolist(), strict=True))
        for place, target in told.items():
            optimizer.register(dict(zip(names, place, strict=True)), target)
        suggestion = optimizer.suggest()
        point = np.clip([[float(suggestion[name]) for name in names]], 0, 1)
        return self.space.from_unit(point)


def _averaged(
    places: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each point once, with the mean of its values: bits outside the space share one with those at its edge."""
    places, which = np.unique(places, axis=0, return_inverse=True)
    return places, np.bincount(which, values) / np.bincount(which)

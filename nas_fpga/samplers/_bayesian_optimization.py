"""Adapter of the `bayesian-optimization` library, the optimiser of the reference work."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.samplers._base import History, Sampler
from nas_fpga.samplers._proposals import random_generator, take, taken
from nas_fpga.space import C, Rows, Space

Acquisition = Literal["ucb", "ei", "poi"]
ACQUISITIONS: tuple[Acquisition, ...] = get_args(Acquisition)

_KAPPA = 2.576  # the library's default: the 99 % quantile
_NEIGHBOURS = 64  # looked at where a suggestion is taken
_XI = 0.01  # the library's default for expected improvement


@dataclass(frozen=True)
class BayesianOptimizationSampler(Sampler[C]):
    """Proposes what `bayesian-optimization` suggests in the unit cube of the space.

    That library maximises one number, here minus log10 of the error: it does not look at resources. It is told the
    history anew in every ask. Candidates in training are registered with the mean of what was observed (constant
    liar); failed ones are left out. A suggestion that decodes to a candidate already taken is replaced by a neighbour
    of it, or by a random candidate where those are taken too.

    Attributes:
        space: What may be proposed.
        seed: Seed of the search.
        acquisition: Upper confidence bound, expected improvement or probability of improvement.
        n_startup: The first so many trials are random.
    """

    space: Space[C]
    seed: int
    acquisition: Acquisition = "ucb"
    n_startup: int = 20

    def __post_init__(self) -> None:
        """Refuse an unknown acquisition function and a negative number of random trials."""
        if self.acquisition not in ACQUISITIONS:
            raise InputError(f"acquisition '{self.acquisition}' is not one of {', '.join(ACQUISITIONS)}")
        if self.n_startup < 0:
            raise InputError(f"startup trials {self.n_startup} must be at least 0")

    def ask(self, history: History[C], pending: Sequence[C], n: int) -> list[C]:
        """Return the next ``n`` candidates; see :meth:`Sampler.ask`."""
        return take(self._proposals(history, pending), n)

    def _proposals(self, history: History[C], pending: Sequence[C]) -> Iterator[C]:
        rng = random_generator(self.seed, history, pending)
        observed, values = self._observations(history)
        waiting = list(pending)
        while True:
            done = taken(history, waiting)
            if len(done) >= self.n_startup and len(observed):
                suggestion = self._suggestion(rng, observed, values, waiting)
                neighbours = self.space.moves(rng, suggestion, _NEIGHBOURS)
                choices = iter(self.space.candidates(np.concatenate([suggestion, neighbours])))
            else:
                choices = iter(())
            candidate = next((choice for choice in choices if choice not in done), None)
            candidate = candidate or next(self.space.unseen(rng, done), None)
            if candidate is None:
                return
            waiting.append(candidate)
            yield candidate

    def _observations(self, history: History[C]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the points of ended trials in the unit cube and minus their log10 error."""
        ended = [
            (observation.candidate, -float(observation.log10_error))
            for observation in history
            if observation.state == "complete"
            and observation.log10_error is not None
            and math.isfinite(observation.log10_error)
            and self.space.has_row(observation.candidate)
        ]
        points = self.space.to_unit(self.space.rows([candidate for candidate, _ in ended]))
        # Bits outside the space share a point with those at its border: one value for each point, the mean.
        points, which = np.unique(points, axis=0, return_inverse=True)
        values = np.array([value for _, value in ended])
        return points, np.bincount(which, values) / np.bincount(which) if len(ended) else values

    def _suggestion(
        self,
        rng: np.random.Generator,
        observed: NDArray[np.float64],
        values: NDArray[np.float64],
        waiting: Sequence[C],
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
        lies = self.space.to_unit(self.space.rows([c for c in waiting if self.space.has_row(c)]))
        told = dict.fromkeys(map(tuple, lies.tolist()), float(values.mean()))
        told |= dict(zip(map(tuple, observed.tolist()), values.tolist(), strict=True))
        for place, target in told.items():
            optimizer.register(dict(zip(names, place, strict=True)), target)
        suggestion = optimizer.suggest()
        point = np.clip([[float(suggestion[name]) for name in names]], 0, 1)
        return self.space.from_unit(point)

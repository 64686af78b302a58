"""The default sampler: a Gaussian process over topologies and bits, and what is to be gained by a training."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.samplers._base import Goal, History, Sampler, refuse_unknown_goal
from nas_fpga.samplers._belief import (
    FRONT_ACQUISITIONS,
    PENDING,
    PRECISION_ACQUISITIONS,
    Belief,
    Pending,
    Pool,
)
from nas_fpga.samplers._observed import log10_error
from nas_fpga.samplers._proposals import random_generator, take, taken
from nas_fpga.space import C, Rows, Space

Array = NDArray[np.float64]

_POOL = 2000  # feasible candidates drawn anew for a generation
_MOVES = 1000  # local moves from the front, for a generation
_CLIMB = 500  # local moves of each round of climbing, for a proposal
_ROUNDS = 2
_BEST = 20  # candidates from which a round starts
_LEAST_TO_FIT = 3  # ended trials below which there is nothing to fit


@dataclass(frozen=True)
class GaussianProcessSampler(Sampler[C]):
    """Models log10 error by a Gaussian process and proposes where the most is expected to be gained.

    After a front, that is the hypervolume, for the time that the training is expected to take (expected improvement
    per second: Snoek, Larochelle and Adams 2012). The resource share is known before training (the space's prior cost,
    corrected by what was measured) but for a normal error, so the expected hypervolume improvement is an exact sum of
    products of one-dimensional ones. After precision alone, it is one of the functions of one quantity, and time does
    not count: ``log-ei`` and ``pi`` are multiplied by the probability that the limits are kept, the others are those
    of candidates that are more likely to keep them than not.

    It is maximised over feasible candidates: fresh ones, neighbours of the front, and rounds of neighbours of the best
    of these. The front that is to be improved has the *predicted* errors of the observed candidates: the least of many
    noisy figures flatters itself. Failed trials teach nothing and are not proposed again.

    The random start draws candidates with odds of one over their time: one network of 2,000 neurons takes the time of
    dozens of small ones.

    Attributes:
        space: What may be proposed.
        seed: Seed of the search.
        n_startup: The first so many trials are random.
        goal: What the search is after.
        acquisition: What is gained: ``ehvi`` after a front; after precision ``log-ei`` (which is taken by default),
            ``ucb``, ``pi``, ``thompson`` or ``mes``.
        kappa: Of ``ucb``: how many deviations below the mean.
        pending: What is taken for the error of candidates in training: their mean, a constant, or random draws.
    """

    acquisitions: ClassVar[tuple[str, ...]] = (*FRONT_ACQUISITIONS, *PRECISION_ACQUISITIONS)

    space: Space[C]
    seed: int
    n_startup: int = 8
    goal: Goal = "front"
    acquisition: str | None = None
    kappa: float = 1.96
    pending: Pending = "believer"

    def __post_init__(self) -> None:
        """Refuse unknown words, negative numbers, and acquisition functions that the goal does not have."""
        refuse_unknown_goal(self.goal)
        if self.n_startup < 0:
            raise InputError(f"startup trials {self.n_startup} must be at least 0")
        if self.function not in self.functions:
            other = "precision" if self.goal == "front" else "front"
            cure = f"; it is for --goal {other}" if self.acquisition in self.acquisitions else ""
            raise InputError(
                f"acquisition '{self.acquisition}' is none of {', '.join(self.functions)}, which --sampler gp has for "
                f"--goal {self.goal}{cure}"
            )
        if self.pending not in PENDING:
            raise InputError(f"pending '{self.pending}' is none of {', '.join(PENDING)}")
        if not self.kappa >= 0:
            raise InputError(f"kappa {self.kappa} must be at least 0, such as 1.96")

    @property
    def functions(self) -> tuple[str, ...]:
        """Acquisition functions of the goal, the default first."""
        return FRONT_ACQUISITIONS if self.goal == "front" else PRECISION_ACQUISITIONS

    @property
    def function(self) -> str:
        """The acquisition function in use."""
        return self.functions[0] if self.acquisition is None else self.acquisition

    def ask(self, history: History[C], pending: Sequence[C], n: int) -> list[C]:
        """Return the next ``n`` candidates; see :meth:`Sampler.ask`."""
        return take(self._proposals(history, pending), n)

    def _proposals(self, history: History[C], pending: Sequence[C]) -> Iterator[C]:
        rng = random_generator(self.seed, history, pending)
        waiting = list(pending)
        ended = [o for o in history if log10_error(o) is not None and self.space.has_features(o.candidate)]
        n_random = max(self.n_startup - len(history) - len(pending), 0)
        if len(ended) < _LEAST_TO_FIT:
            yield from self._start(rng, taken(history, pending))
            return
        for candidate in itertools.islice(self._start(rng, taken(history, pending)), n_random):
            waiting.append(candidate)
            yield candidate
        belief = Belief.of(self.space, ended).believing(waiting, self.pending, rng)
        pool = belief.pool(self._draw(rng, belief))
        seen = self.space.keys(taken(history, waiting))
        while True:
            best = self._best(rng, belief, pool, seen)
            if best is None:  # a space so small that the pool holds nothing new
                yield from self.space.unseen(rng, taken(history, waiting))
                return
            waiting.append(best)
            yield best
            seen |= self.space.keys([best])
            belief = belief.believing([best], self.pending, rng)
            pool = belief.again(pool)

    def _start(self, rng: np.random.Generator, done: Sequence[C]) -> Iterator[C]:
        """Yield new candidates at random, with odds of one over their time; last those expected over the limits."""
        pool = np.unique(self.space.sample(rng, _POOL), axis=0)
        # Of exponential times with these means, candidate i has the shortest with odds of 1 / mean i.
        times = self.space.training_time(pool) if self.goal == "front" else np.ones(len(pool))
        order = np.argsort(times * rng.exponential(size=len(pool)), kind="stable")
        order = order[np.argsort(self.space.prior_log10_share(pool[order]) >= 0, kind="stable")]
        seen = self.space.keys(done)
        new = self.space.candidates(pool[[i for i in order if pool[i].tobytes() not in seen]])
        yield from new
        yield from self.space.unseen(rng, [*done, *new])

    def _draw(self, rng: np.random.Generator, belief: Belief[C]) -> Rows:
        """Return fresh candidates, and neighbours of the front."""
        rows = self.space.sample(rng, _POOL)
        front = belief.front(self.goal)
        return np.concatenate([rows, self.space.moves(rng, front, _MOVES)]) if len(front) else rows

    def _best(self, rng: np.random.Generator, belief: Belief[C], pool: Pool, seen: set[bytes]) -> C | None:
        """Return the new candidate of largest gain, found by climbing from the pool; None where there is none."""
        if self.function == "thompson":
            some, scores = belief.draw(pool, rng)
            rows = some.rows
        else:
            rows, scores = self._climb(rng, pool, belief.scorer(pool, self.function, self.kappa, rng), belief)
        for i in np.argsort(-scores, kind="stable"):
            if rows[i].tobytes() not in seen:
                return self.space.candidates(rows[i : i + 1])[0]
        return None

    def _climb(
        self, rng: np.random.Generator, pool: Pool, score: Callable[[Pool], Array], belief: Belief[C]
    ) -> tuple[Rows, Array]:
        """Return the pool and rounds of neighbours of the best, with their scores."""
        rows, scores = pool.rows, score(pool)
        for _ in range(_ROUNDS):
            start = rows[np.argsort(-scores, kind="stable")[:_BEST]]
            near = self.space.moves(rng, start, _CLIMB)
            if len(near):
                rows, scores = np.concatenate([rows, near]), np.append(scores, score(belief.pool(near)))
        return rows, scores

"""The default sampler: a Gaussian process over topologies and bits, and the hypervolume to be gained in a second."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.samplers._base import History, Observation, Sampler
from nas_fpga.samplers._hypervolume import expected_hypervolume_improvement, non_dominated, staircase
from nas_fpga.samplers._proposals import random_generator, take, taken
from nas_fpga.samplers._regression import GaussianProcess
from nas_fpga.space import C, Rows, Space

Array = NDArray[np.float64]

_POOL = 2000  # feasible candidates drawn anew for each proposal
_MOVES = 1000  # local moves, first from the front, then from the best of the pool
_BEST = 20  # of the pool, from which the second moves start
_LEAST_TO_FIT = 3  # ended trials below which there is nothing to fit
_SHARE_RIDGE = 1.0  # observations that the prior cost is worth, for each feature of its correction


@dataclass(frozen=True)
class GaussianProcessSampler(Sampler[C]):
    """Models log10 error by a Gaussian process and proposes where the hypervolume is expected to grow fastest.

    The resource share is known before training (the space's prior cost, corrected by what was measured), so the
    expected hypervolume improvement is an exact sum of one-dimensional ones. It is maximised over feasible candidates:
    fresh ones, neighbours of the front, and neighbours of the best of both. The front that is to be improved has the
    *predicted* errors of the observed candidates: the least of many noisy figures flatters itself. Candidates in
    training count as seen at their predicted error; failed ones teach nothing and are not proposed again.

    A gain is divided by the time that the training is expected to take (expected improvement per second: Snoek,
    Larochelle and Adams 2012), and the random start draws candidates in inverse proportion to it: one network of 2,000
    neurons takes the time of dozens of small ones.

    Attributes:
        space: What may be proposed.
        seed: Seed of the search.
        n_startup: The first so many trials are random.
    """

    space: Space[C]
    seed: int
    n_startup: int = 20

    def __post_init__(self) -> None:
        """Refuse a negative number of random trials."""
        if self.n_startup < 0:
            raise InputError(f"startup trials {self.n_startup} must be at least 0")

    def ask(self, history: History[C], pending: Sequence[C], n: int) -> list[C]:
        """Return the next ``n`` candidates; see :meth:`Sampler.ask`."""
        return take(self._proposals(history, pending), n)

    def _proposals(self, history: History[C], pending: Sequence[C]) -> Iterator[C]:
        rng = random_generator(self.seed, history, pending)
        waiting = list(pending)
        ended = [observation for observation in history if _log10_error(observation) is not None]
        n_random = self.n_startup - len(history) - len(pending)
        if len(ended) < _LEAST_TO_FIT:
            yield from self._start(rng, taken(history, pending))
            return
        if n_random > 0:
            for candidate in take(self._start(rng, taken(history, pending)), n_random):
                waiting.append(candidate)
                yield candidate
        model = _Model.fit(self.space, ended)
        while True:
            best = self._best(rng, model.believing(waiting), self.space.keys(taken(history, waiting)))
            if best is None:  # a space so small that the pool holds nothing new
                yield from self.space.unseen(rng, taken(history, waiting))
                return
            waiting.append(best)
            yield best

    def _start(self, rng: np.random.Generator, done: Sequence[C]) -> Iterator[C]:
        """Yield new candidates at random, with odds of one over their time; last those expected over the limits."""
        pool = np.unique(self.space.sample(rng, _POOL), axis=0)
        # Of exponential times with these means, candidate i has the shortest with odds of 1 / mean i.
        order = np.argsort(self.space.training_time(pool) * rng.exponential(size=len(pool)), kind="stable")
        order = order[np.argsort(self.space.prior_log10_share(pool[order]) >= 0, kind="stable")]
        seen = self.space.keys(done)
        new = self.space.candidates(pool[[i for i in order if pool[i].tobytes() not in seen]])
        yield from new
        yield from self.space.unseen(rng, [*done, *new])

    def _best(self, rng: np.random.Generator, model: _Model[C], seen: set[bytes]) -> C | None:
        """Return the new candidate of largest expected improvement; None where the pool holds nothing new."""
        pool = self.space.sample(rng, _POOL)
        front = model.front()
        if len(front):
            pool = np.concatenate([pool, self.space.moves(rng, front, _MOVES)])
        gains = model.gains(pool)
        start = pool[np.argsort(-gains, kind="stable")[:_BEST]]
        near = self.space.moves(rng, start, _MOVES)
        pool, gains = np.concatenate([pool, near]), np.concatenate([gains, model.gains(near)])
        for i in np.argsort(-gains, kind="stable"):
            if pool[i].tobytes() not in seen:
                return self.space.candidates(pool[i : i + 1])[0]
        return None


@dataclass(frozen=True, eq=False)
class _Model(Generic[C]):
    """What is believed of error and resource share.

    Attributes:
        space: Encodes candidates and knows their prior cost.
        process: Of log10 error.
        share_correction: Linear in the features, intercept last `(k + 1,)`: measured minus prior log10 share.
        rows: Of what was observed or is believed, where they lie in the space `(m, columns)`.
        errors: Their predicted log10 error `(m,)`.
        shares: Their log10 share `(m,)`.
    """

    space: Space[C]
    process: GaussianProcess
    share_correction: Array
    rows: Rows
    errors: Array
    shares: Array

    @classmethod
    def fit(cls, space: Space[C], ended: Sequence[Observation[C]]) -> _Model[C]:
        """Fit the model to ended trials with a finite error."""
        # What the user asked for may be deeper than the space: features are of any depth.
        candidates = [observation.candidate for observation in ended]
        features = space.features(candidates)
        process = GaussianProcess.fit(features, np.array([_log10_error(observation) for observation in ended]))
        errors, _ = process.predict(features)

        inside = np.array([space.has_row(candidate) for candidate in candidates])
        rows = space.rows([candidate for candidate in candidates if space.has_row(candidate)])
        prior = space.prior_log10_share(rows)
        measured = np.array([o.log10_share for o in ended], dtype=np.float64)[inside]  # None becomes NaN
        known = np.isfinite(measured)
        correction = _ridge(features[inside][known], (measured - prior)[known])
        shares = np.where(known, measured, prior + _apply(correction, features[inside]))
        return cls(space, process, correction, rows, errors[inside], shares)

    def believing(self, waiting: Sequence[C]) -> _Model[C]:
        """Return the model that takes candidates in training for seen at their predicted error."""
        waiting = [candidate for candidate in waiting if self.space.has_row(candidate)]
        if not waiting:
            return self
        rows = self.space.rows(waiting)
        features = self.space.encode(rows)
        errors, _ = self.process.predict(features)
        return _Model(
            self.space,
            self.process.believing(features),
            self.share_correction,
            np.concatenate([self.rows, rows]),
            np.concatenate([self.errors, errors]),
            np.concatenate([self.shares, self._shares(rows, features)]),
        )

    def front(self) -> Rows:
        """Return the rows that are not dominated and lie inside the limits and the space."""
        rows = self.rows[non_dominated(self.errors, self.shares) & (self.shares < 0)]
        return rows[self.space.feasible(rows)]

    def gains(self, rows: Rows) -> Array:
        """Return the expected hypervolume improvement of candidates for the time that they train `(n,)`."""
        if not len(rows):
            return np.zeros(0)
        features = self.space.encode(rows)
        means, deviations = self.process.predict(features)
        steps = staircase(self.errors, self.shares)
        gains = expected_hypervolume_improvement(means, deviations, self._shares(rows, features), *steps)
        rates: Array = gains / self.space.training_time(rows)
        return rates

    def _shares(self, rows: Rows, features: Array) -> Array:
        return self.space.prior_log10_share(rows) + _apply(self.share_correction, features)


def _log10_error(observation: Observation[Any]) -> float | None:
    """Return the error of a trial to learn from, None where there is none."""
    error = observation.log10_error
    if observation.state != "complete" or error is None or not math.isfinite(error):
        return None
    return float(error)


def _ridge(features: Array, targets: Array) -> Array:
    """Return coefficients and intercept `(k + 1,)` of a ridge regression; zeros without data."""
    n, k = features.shape
    if n == 0:
        return np.zeros(k + 1)
    centre, middle = features.mean(axis=0), targets.mean()
    x = features - centre
    slopes = np.linalg.solve(x.T @ x + _SHARE_RIDGE * np.eye(k), x.T @ (targets - middle))
    return np.append(slopes, middle - centre @ slopes)


def _apply(coefficients: Array, features: Array) -> Array:
    values: Array = features @ coefficients[:-1] + coefficients[-1]
    return values

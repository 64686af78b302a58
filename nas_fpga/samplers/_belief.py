"""What the default sampler believes of error and resource share, and what it expects of a candidate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nas_fpga.samplers import _acquisition as acquisition
from nas_fpga.samplers._base import Goal, Observation
from nas_fpga.samplers._hypervolume import expected_hypervolume_improvement, non_dominated, staircase
from nas_fpga.samplers._learning import learn
from nas_fpga.samplers._observed import log10_error
from nas_fpga.samplers._regression import GaussianProcess, Projection, fenced
from nas_fpga.space import C, Rows, Space

Array = NDArray[np.float64]

Pending = Literal["believer", "liar-min", "liar-mean", "liar-max", "q-ei"]
PENDING: tuple[Pending, ...] = get_args(Pending)
"""What is taken for the error of candidates in training."""

FRONT_ACQUISITIONS = ("ehvi",)
PRECISION_ACQUISITIONS = ("log-ei", "ucb", "pi", "thompson", "mes")

_MOST_TO_SEE = 1000  # observations that predictions use: .2 CPU s for each of four, growing as the square
_SHARE_RIDGE = 1.0  # observations that the prior cost is worth, for each feature of its correction
_LEAST_SHARE_DEVIATION = 1e-3  # of log10 share: where laws are exact
_N_BEST = 20  # of a search for precision, from which local moves start
_N_VERSIONS = 16  # of what is in training, for q-EI
_N_MINIMA = 16  # of max-value entropy search
_N_DRAWN = 500  # candidates among which a Thompson draw is compared: one factor of their covariance
_EVEN = math.log(0.5)
_NEVER = -np.inf


@dataclass(frozen=True, eq=False)
class Pool:
    """Candidates as a belief sees them.

    Attributes:
        rows: The candidates `(m, columns)`.
        shares: Expected log10 share `(m,)`.
        log_times: log of the time that they train `(m,)`.
        projection: Of their features.
    """

    rows: Rows
    shares: Array
    log_times: Array
    projection: Projection


@dataclass(frozen=True, eq=False)
class Belief(Generic[C]):
    """A model of what ended, and of what is in training.

    Attributes:
        space: Encodes candidates and knows their prior cost.
        process: Of log10 error.
        share_correction: Linear in the features, intercept last `(k + 1,)`: measured minus prior log10 share.
        share_deviation: Standard deviation of log10 share about that.
        rows: Of what was observed or is believed, where it has a row `(m, columns)`.
        errors: Its predicted log10 error `(m,)`, or `(m, s)` for s versions of what is in training.
        shares: Its log10 share `(m,)`.
        targets: The errors that were observed, up to their fence `(n,)`.
    """

    space: Space[C]
    process: GaussianProcess
    share_correction: Array
    share_deviation: float
    rows: Rows
    errors: Array
    shares: Array
    targets: Array

    @classmethod
    def of(cls, space: Space[C], ended: Sequence[Observation[C]]) -> Belief[C]:
        """Learn from ended trials with a finite error, at least one, whose candidates have features."""
        # What the user asked for may lie outside the space: it has features, but may have no row.
        candidates = [observation.candidate for observation in ended]
        features = space.features(candidates)
        observed = np.array([log10_error(observation) for observation in ended], np.float64)
        parameters = learn(features, observed)
        targets = fenced(observed)
        used = most_telling(features, targets, _MOST_TO_SEE)
        process = GaussianProcess.of(features[used], targets[used], parameters)
        errors, _ = process.predict(features)

        inside = np.array([space.has_row(candidate) for candidate in candidates])
        rows = space.rows([candidate for candidate in candidates if space.has_row(candidate)])
        prior = space.prior_log10_share(rows)
        measured = np.array([o.log10_share for o in ended], dtype=np.float64)[inside]  # None becomes NaN
        known = np.isfinite(measured)
        correction, deviation = _ridge(features[inside][known], (measured - prior)[known])
        shares = np.where(known, measured, prior + _apply(correction, features[inside]))
        return cls(space, process, correction, deviation, rows, errors[inside], shares, targets)

    def believing(self, waiting: Sequence[C], pending: Pending, rng: np.random.Generator) -> Belief[C]:
        """Return the belief that also knows of candidates in training.

        Kriging believer and constant liars: Ginsbourger, Le Riche and Carraro (2010). ``q-ei`` draws 16 versions of
        what they may come to, over which gains are averaged (Snoek, Larochelle and Adams 2012, section 3.2).

        Args:
            waiting: Candidates in training.
            pending: What is taken for their error.
            rng: Draws the versions.
        """
        waiting = [candidate for candidate in waiting if self.space.has_row(candidate)]
        if not waiting:
            return self
        rows = self.space.rows(waiting)
        features = self.space.encode(rows)
        values = self._taken_for(features, pending, rng)
        errors = self.errors if values.ndim == self.errors.ndim else self.errors[:, None]
        errors = np.broadcast_to(errors, (len(errors), *values.shape[1:]))
        return replace(
            self,
            process=self.process.conditioned(features, values),
            rows=np.concatenate([self.rows, rows]),
            errors=np.concatenate([errors, values]),
            shares=np.concatenate([self.shares, self._shares(rows, features)]),
        )

    def _taken_for(self, features: Array, pending: Pending, rng: np.random.Generator) -> Array:
        if pending == "q-ei":
            means, covariance = self.process.joint(features)
            versions = means if means.ndim == 2 else means[:, None]
            drawn: Array = versions + _root(covariance) @ rng.standard_normal((len(features), _N_VERSIONS))
            return drawn
        if pending == "believer":
            return self.process.predict(features)[0]
        lies = {"liar-min": self.targets.min(), "liar-mean": self.targets.mean(), "liar-max": self.targets.max()}
        return np.full(len(features), lies[pending])

    def front(self, goal: Goal) -> Rows:
        """Return the rows that local moves should start from: what is not dominated, or the best, within the limits."""
        errors = self.errors if self.errors.ndim == 1 else self.errors.mean(axis=1)
        if goal == "front":
            rows = self.rows[non_dominated(errors, self.shares) & (self.shares < 0)]
        else:
            order = np.argsort(errors, kind="stable")
            rows = self.rows[order[self._kept[order]][:_N_BEST]]
        return rows[self.space.feasible(rows)] if len(rows) else rows

    def pool(self, rows: Rows) -> Pool:
        """Return candidates as this belief sees them."""
        features = self.space.encode(rows)
        log_times = np.log(self.space.training_time(rows))
        return Pool(rows, self._shares(rows, features), log_times, self.process.project(features))

    def again(self, pool: Pool) -> Pool:
        """Return candidates that an earlier belief saw, as this one does."""
        return replace(pool, projection=self.process.project(pool.projection.features, pool.projection))

    def scorer(self, pool: Pool, function: str, kappa: float, rng: np.random.Generator) -> Callable[[Pool], Array]:
        """Return what says how worthwhile candidates are `(m,)`, the more the better; never those likely over limits.

        Args:
            pool: Candidates that say where the least value may lie.
            function: One of :data:`FRONT_ACQUISITIONS` or :data:`PRECISION_ACQUISITIONS`, but for ``thompson``.
            kappa: Of ``ucb``: how many deviations.
            rng: Draws the least values of ``mes``.
        """
        if function == "ehvi":
            return self.rates
        if function in ("log-ei", "pi"):
            return lambda of: self._log_gains(of, function) + self._log_feasible(of)
        if function == "ucb":
            score: Callable[[Array, Array], Array] = partial(acquisition.upper_confidence_bound, kappa=kappa)
        else:
            inside = self._log_feasible(pool) > _EVEN
            inside |= not inside.any()
            means, deviations = self._normal(pool)
            least = acquisition.sampled_minima(rng, means[inside], deviations[inside], _N_MINIMA)
            score = partial(acquisition.max_value_entropy_search, minima=np.minimum(least, self._best().min()))
        return lambda of: np.where(self._log_feasible(of) > _EVEN, score(*self._normal(of)), _NEVER)

    def draw(self, pool: Pool, rng: np.random.Generator) -> tuple[Pool, Array]:
        """Return some of the candidates and minus one draw of the process there (Thompson 1933)."""
        some = np.sort(rng.permutation(len(pool.rows))[:_N_DRAWN])
        means, covariance = self.process.joint(pool.projection.features[some])
        means = means if means.ndim == 1 else means.mean(axis=1)
        drawn = means + _root(covariance) @ rng.standard_normal(len(some))
        chosen = self.pool(pool.rows[some])
        return chosen, np.where(self._log_feasible(chosen) > _EVEN, -drawn, _NEVER)

    def _normal(self, pool: Pool) -> tuple[Array, Array]:
        means, deviations = self.process.predict(pool.projection)
        return means if means.ndim == 1 else means.mean(axis=1), deviations

    def _log_feasible(self, pool: Pool) -> Array:
        """Return the logarithm of the probability that candidates keep the limits `(m,)`."""
        if self.space.unlimited:
            return np.zeros(len(pool.rows))
        return acquisition.log_probability_of_improvement(pool.shares, np.array(self.share_deviation), 0.0)

    def rates(self, pool: Pool) -> Array:
        """Return the expected hypervolume improvement of candidates for the time that they train `(m,)`."""
        means, deviations = self.process.predict(pool.projection)
        versions = zip(np.atleast_2d(means.T), np.atleast_2d(self.errors.T), strict=True)
        gains = [
            expected_hypervolume_improvement(
                of, deviations, pool.shares, self.share_deviation, *staircase(errors, self.shares)
            )
            for of, errors in versions
        ]
        rates: Array = np.mean(gains, axis=0) / np.exp(pool.log_times)
        return rates

    def _log_gains(self, pool: Pool, function: str) -> Array:
        of = {"log-ei": acquisition.log_expected_improvement, "pi": acquisition.log_probability_of_improvement}
        means, deviations = self.process.predict(pool.projection)
        if means.ndim == 1:
            return of[function](means, deviations, self._best())
        gains: Array = np.logaddexp.reduce(of[function](means, deviations[:, None], self._best()), axis=1)
        return gains

    def _best(self) -> Array:
        """Return the least predicted error within the limits, of every version; the least of all where none is."""
        if not len(self.errors):  # what is known lies outside the space, all of it
            return np.array(self.targets.min())
        kept = self._kept
        best: Array = (self.errors[kept] if kept.any() else self.errors).min(axis=0)
        return best

    @property
    def _kept(self) -> NDArray[np.bool_]:
        """Which of what was observed or is believed keeps the limits `(m,)`."""
        return (self.shares < 0) | self.space.unlimited

    def _shares(self, rows: Rows, features: Array) -> Array:
        return self.space.prior_log10_share(rows) + _apply(self.share_correction, features)


def most_telling(features: Array, targets: Array, most: int) -> NDArray[np.int64]:
    """Return which observations predictions use, in their order: all, or the best half and those that lie far apart.

    The second half is chosen one by one, each the farthest from all chosen (Gonzalez 1985), so that the whole space
    stays known.

    Args:
        features: `(n, d)`.
        targets: `(n,)`.
        most: How many.
    """
    if len(targets) <= most:
        return np.arange(len(targets))
    chosen = np.argsort(targets, kind="stable")[: most // 2]
    apart = np.full(len(targets), np.inf)
    for i in chosen:
        apart = np.minimum(apart, ((features - features[i]) ** 2).sum(axis=1))
    found = list(chosen)
    for _ in range(most - len(found)):
        i = int(apart.argmax())
        found.append(i)
        apart = np.minimum(apart, ((features - features[i]) ** 2).sum(axis=1))
    return np.unique(found)


def _root(covariance: Array) -> Array:
    """Return a matrix whose product with its transpose is a covariance, of whatever rank."""
    values, vectors = np.linalg.eigh(covariance)
    root: Array = vectors * np.sqrt(np.maximum(values, 0))
    return root


def _ridge(features: Array, targets: Array) -> tuple[Array, float]:
    """Return coefficients and intercept `(k + 1,)` of a ridge regression, and the deviation of what it leaves out.

    The deviation is that of leave-one-out residuals; zeros and the least deviation without data.
    """
    n, k = features.shape
    if n == 0:
        return np.zeros(k + 1), _LEAST_SHARE_DEVIATION
    centre, middle = features.mean(axis=0), targets.mean()
    x = features - centre
    inverse = np.linalg.inv(x.T @ x + _SHARE_RIDGE * np.eye(k))
    slopes = inverse @ x.T @ (targets - middle)
    leverages = np.einsum("nk,kj,nj->n", x, inverse, x) + 1 / n
    left = (targets - middle - x @ slopes) / np.maximum(1 - leverages, 1e-2)
    deviation = max(float(np.sqrt((left**2).mean())), _LEAST_SHARE_DEVIATION)
    return np.append(slopes, middle - centre @ slopes), deviation


def _apply(coefficients: Array, features: Array) -> Array:
    values: Array = features @ coefficients[:-1] + coefficients[-1]
    return values

"""An exact Gaussian process with a Matern-5/2 kernel, one length scale a feature, and learned noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROOT5 = np.sqrt(5.0)
JITTER = 1e-8
_ROUNDING = 1e-12  # of a mean: what the deviation of equal numbers comes to, and more
FENCE = 1.5  # interquartile ranges above the third quartile: Tukey's (1977)


@dataclass(frozen=True, eq=False)
class Projection:
    """Points as a process sees them, so that observations may be added without doing all again.

    Attributes:
        features: Of the points `(m, d)`.
        whitened: Their covariance with the observations, by the inverse of the process' factor `(n, m)`.
    """

    features: Array
    whitened: Array


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """A process that has seen observations. Parameters are logarithms, in units of standardised targets.

    Attributes:
        features: Of the observations `(n, d)`.
        parameters: Log length scales, log signal variance, log noise variance `(d + 2,)`.
        mean: Of the targets before standardisation.
        scale: Standard deviation of the targets before standardisation.
        factor: Lower Cholesky factor of their covariance, noise included `(n, n)`.
        whitened: Standardised targets by its inverse `(n,)`, or `(n, s)` for s versions of what is not known yet.
    """

    features: Array
    parameters: Array
    mean: float
    scale: float
    factor: Array
    whitened: Array

    @classmethod
    def of(cls, features: Array, targets: Array, parameters: Array) -> GaussianProcess:
        """Return the process of these parameters that has seen targets `(n,)` at features `(n, d)`; both may repeat."""
        from scipy.linalg import cholesky, solve_triangular

        mean, scale, standardised = standardise(targets)
        factor = cholesky(_noisy(covariance(features, features, parameters), parameters), lower=True)
        whitened = solve_triangular(factor, standardised, lower=True, check_finite=False)
        return cls(features, parameters, mean, scale, factor, whitened)

    def conditioned(self, features: Array, values: Array) -> GaussianProcess:
        """Return the process that has also seen values at further points, by a block more of the factor.

        Args:
            features: `(m, d)`.
            values: `(m,)`, or `(m, s)`: s versions, of each of which predictions have a mean.
        """
        from scipy.linalg import cholesky, solve_triangular

        below = self.project(features).whitened
        block = _noisy(covariance(features, features, self.parameters), self.parameters) - below.T @ below
        corner = cholesky(block, lower=True)
        before = self.whitened if self.whitened.ndim == values.ndim else self.whitened[:, None]
        standardised = (values - self.mean) / self.scale
        after = solve_triangular(corner, standardised - below.T @ before, lower=True, check_finite=False)
        n, m = len(self.features), len(features)
        factor = np.zeros((n + m, n + m))
        factor[:n, :n], factor[n:, :n], factor[n:, n:] = self.factor, below.T, corner
        before = np.broadcast_to(before, (n, *values.shape[1:]))
        return replace(
            self,
            features=np.concatenate([self.features, features]),
            factor=factor,
            whitened=np.concatenate([before, after]),
        )

    def project(self, features: Array, known: Projection | None = None) -> Projection:
        """Return points `(m, d)` as this process sees them.

        Args:
            features: The points.
            known: The same points as seen before its latest observations were added.
        """
        from scipy.linalg import solve_triangular

        n_known = 0 if known is None else len(known.whitened)
        cross = covariance(self.features[n_known:], features, self.parameters)
        if known is not None:
            cross -= self.factor[n_known:, :n_known] @ known.whitened
        rest = solve_triangular(self.factor[n_known:, n_known:], cross, lower=True, check_finite=False)
        return Projection(features, rest if known is None else np.concatenate([known.whitened, rest]))

    def predict(self, at: Array | Projection) -> tuple[Array, Array]:
        """Return means `(m,)`, or `(m, s)`, and standard deviations without noise `(m,)`, in units of targets.

        Rasmussen and Williams (2006), equations 2.25 and 2.26.
        """
        projection = at if isinstance(at, Projection) else self.project(at)
        signal = np.exp(self.parameters[-2])
        means = self.mean + self.scale * (projection.whitened.T @ self.whitened)
        variances = signal - np.einsum("nm,nm->m", projection.whitened, projection.whitened)
        return means, self.scale * np.sqrt(np.maximum(variances, JITTER))

    def joint(self, features: Array) -> tuple[Array, Array]:
        """Return means `(m,)`, or `(m, s)`, and covariance without noise `(m, m)` at points `(m, d)`."""
        projection = self.project(features)
        means, _ = self.predict(projection)
        prior = covariance(features, features, self.parameters)
        return means, self.scale**2 * (prior - projection.whitened.T @ projection.whitened)


def upper_fence(values: Array) -> float:
    """Return above what values are far outside (Tukey 1977): 1.5 interquartile ranges above the third quartile.

    Where half of them and more are equal there is no such range to count in, and no fence: the largest value.
    """
    first, third = np.quantile(values, [0.25, 0.75])
    return float(third + FENCE * (third - first) if third > first else values.max())


def fenced(targets: Array) -> Array:
    """Return targets, those above the fence as the fence.

    How bad a network is that did not learn is chance, and a process that follows it sees noise where there is none.
    What is below keeps its units, and so do gains.
    """
    return np.minimum(targets, upper_fence(targets))


def standardise(targets: Array) -> tuple[float, float, Array]:
    """Return mean, standard deviation (1 where there is none but rounding) and standardised targets."""
    mean, scale = float(targets.mean()), float(targets.std())
    if scale <= _ROUNDING * max(1.0, abs(mean)):
        scale = 1.0
    return mean, scale, (targets - mean) / scale


def distances(a: Array, b: Array, parameters: Array) -> Array:
    """Return distances in units of the length scales `(len(a), len(b))`."""
    lengths = np.exp(parameters[:-2])
    a, b = a / lengths, b / lengths
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    apart: Array = np.sqrt(np.maximum(squares, 0))
    return apart


def covariance(a: Array, b: Array, parameters: Array) -> Array:
    """Return the Matern-5/2 covariance without noise `(len(a), len(b))`; Rasmussen and Williams (2006), eq. 4.17."""
    scaled = ROOT5 * distances(a, b, parameters)
    covariances: Array = np.exp(parameters[-2]) * (1 + scaled + scaled**2 / 3) * np.exp(-scaled)
    return covariances


def _noisy(covariances: Array, parameters: Array) -> Array:
    covariances.flat[:: len(covariances) + 1] += np.exp(parameters[-1]) + JITTER
    return covariances

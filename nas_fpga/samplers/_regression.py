"""An exact Gaussian process with a Matern-5/2 kernel, one length scale a feature, and learned noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ROOT5 = np.sqrt(5.0)
_JITTER = 1e-8
# Normal priors (mean, deviation) of log signal variance and log noise variance, of standardised targets. The variance
# between trainings of one candidate is a few per cent of that between candidates; 20 times more or less is allowed.
_SIGNAL_PRIOR = (0.0, 1.0)
_NOISE_PRIOR = (-3.0, 1.5)
_BOUNDS = {"length": (-3.0, 6.0), "signal": (-4.0, 4.0), "noise": (-9.0, 1.0)}
_ITERATIONS = 40
_MOST_TO_FIT = 300  # observations from which parameters are learned: 0.4 CPU s on one core, growing as the cube


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """A fitted process. Parameters are logarithms, in units of standardised targets.

    Attributes:
        features: Of the observations `(n, d)`.
        targets: Standardised observations `(n,)`.
        parameters: Log length scales, log signal variance, log noise variance `(d + 2,)`.
        mean: Of the targets before standardisation.
        scale: Standard deviation of the targets before standardisation.
    """

    features: Array
    targets: Array
    parameters: Array
    mean: float
    scale: float

    @classmethod
    def fit(cls, features: Array, targets: Array) -> GaussianProcess:
        """Return the process of maximal posterior density of its parameters.

        Beyond 300 observations the parameters are learned from every second, third, ... one; predictions use all.
        The length scales have the log-normal prior of Hvarfner, Hellsten and Nardi (2024): mean sqrt(2) + log(d)/2,
        deviation sqrt(3), for features of about unit range.

        Args:
            features: `(n, d)`, n at least 1.
            targets: `(n,)`, finite; may repeat.
        """
        from scipy.optimize import minimize

        d = features.shape[1]
        mean, scale = float(targets.mean()), float(targets.std()) or 1.0
        standardised = (targets - mean) / scale
        prior = _Prior.of(d)
        bounds = [_BOUNDS["length"]] * d + [_BOUNDS["signal"], _BOUNDS["noise"]]
        start = prior.means.copy()
        start[:d] = 0.0  # a length of the range of a feature: where the likelihood has a gradient
        step = -(-len(targets) // _MOST_TO_FIT)
        found = minimize(
            _negative_log_posterior,
            start,
            (features[::step], standardised[::step], prior),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": _ITERATIONS},
        )
        return cls(features, standardised, found.x, mean, scale)

    def believing(self, features: Array) -> GaussianProcess:
        """Return the process that has also seen its own mean at further points `(m, d)` (kriging believer).

        Its means stay, its deviations shrink. Ginsbourger, Le Riche and Carraro (2010).
        """
        means = (self.predict(features)[0] - self.mean) / self.scale
        return replace(
            self,
            features=np.concatenate([self.features, features]),
            targets=np.concatenate([self.targets, means]),
        )

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Return means and standard deviations, without noise, at points `(m, d)`: `(m,)` each, in units of targets."""
        from scipy.linalg import cho_solve, cholesky, solve_triangular

        signal, noise = np.exp(self.parameters[-2:])
        factor = cholesky(_covariance(self.features, self.parameters, noise), lower=True)
        cross = signal * _matern(_distances(features, self.features, self.parameters))
        means = cross @ cho_solve((factor, True), self.targets)
        explained = (solve_triangular(factor, cross.T, lower=True) ** 2).sum(axis=0)
        deviations = np.sqrt(np.maximum(signal - explained, _JITTER))
        return self.mean + self.scale * means, self.scale * deviations


@dataclass(frozen=True, eq=False)
class _Prior:
    means: Array
    deviations: Array

    @classmethod
    def of(cls, d: int) -> _Prior:
        length = (np.sqrt(2) + np.log(d) / 2, np.sqrt(3))
        means, deviations = np.array([length] * d + [_SIGNAL_PRIOR, _NOISE_PRIOR]).T
        return cls(means, deviations)


def _distances(a: Array, b: Array, parameters: Array) -> Array:
    """Return distances in units of the length scales `(len(a), len(b))`."""
    lengths = np.exp(parameters[:-2])
    a, b = a / lengths, b / lengths
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    distances: Array = np.sqrt(np.maximum(squares, 0))
    return distances


def _matern(distances: Array) -> Array:
    correlation: Array = (1 + _ROOT5 * distances + 5 / 3 * distances**2) * np.exp(-_ROOT5 * distances)
    return correlation


def _covariance(features: Array, parameters: Array, noise: float) -> Array:
    covariance: Array = np.exp(parameters[-2]) * _matern(_distances(features, features, parameters))
    covariance.flat[:: len(features) + 1] += noise + _JITTER
    return covariance


def _negative_log_posterior(parameters: Array, features: Array, targets: Array, prior: _Prior) -> tuple[float, Array]:
    """Return minus the log posterior density (up to a constant) and its gradient `(d + 2,)`.

    Rasmussen and Williams (2006), equations 5.8 and 5.9.
    """
    from scipy.linalg import cho_factor, cho_solve

    signal, noise = np.exp(parameters[-2:])
    distances = _distances(features, features, parameters)
    decay = np.exp(-_ROOT5 * distances)
    kernel = signal * (1 + _ROOT5 * distances + 5 / 3 * distances**2) * decay
    covariance = kernel.copy()
    covariance.flat[:: len(targets) + 1] += noise + _JITTER
    factor = cho_factor(covariance, lower=True)
    alpha = cho_solve(factor, targets)
    outer = np.outer(alpha, alpha) - cho_solve(factor, np.eye(len(targets)))
    deviation = (parameters - prior.means) / prior.deviations
    value = 0.5 * targets @ alpha + np.log(np.diag(factor[0])).sum() + 0.5 * (deviation**2).sum()
    # dK_ij / d log l_k = 5/3 signal (1 + sqrt(5) r) exp(-sqrt(5) r) (x_ik - x_jk)^2 / l_k^2; the sum over i and j of a
    # symmetric matrix times squared differences is 2 (sum_i c_i x_i^2 - x^T C x) with the row sums c.
    slope = outer * (5 / 3 * signal * (1 + _ROOT5 * distances) * decay)
    scaled = features / np.exp(parameters[:-2])
    squared = 2 * (slope.sum(axis=1) @ scaled**2 - np.einsum("ik,ik->k", scaled, slope @ scaled))
    gradient = np.concatenate([-0.5 * squared, [-0.5 * (outer * kernel).sum(), -0.5 * noise * np.trace(outer)]])
    return float(value), gradient + deviation / prior.deviations

"""Acquisition functions of a normal prediction, to be maximised by what seeks the least value.

All broadcast over `(n,)` or `(n, s)` means; deviations are above 0 and broadcast likewise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_LOG_ROOT_2PI = 0.5 * np.log(2 * np.pi)
_FAR = -50.0  # standard scores below which three terms of the asymptotic series of h are exact to 1e-8
_MOST_HALVINGS = 60


def expected_improvement(means: Array, deviations: Array, level: Array | float) -> Array:
    """Return E[max(level - X, 0)] of normal X (Jones, Schonlau and Welch 1998, equation 15)."""
    from scipy.special import ndtr

    z = (level - means) / deviations
    density = np.exp(-0.5 * z**2 - _LOG_ROOT_2PI)
    improvement: Array = np.maximum(deviations * (z * ndtr(z) + density), 0)
    return improvement


def log_expected_improvement(means: Array, deviations: Array, level: Array | float) -> Array:
    """Return the logarithm of :func:`expected_improvement`, finite and rising where that is 0 in floats.

    Ament et al. (2023), "Unexpected improvements to expected improvement", arXiv:2310.20708, section 4: log h(z) with
    h(z) = phi(z) + z Phi(z); for z below -50 its asymptote phi(z) (1 - 3 / z^2 + 15 / z^4) / z^2.
    """
    from scipy.special import erfcx

    z = (level - means) / deviations
    near = np.maximum(z, _FAR)
    log_density = -0.5 * near**2 - _LOG_ROOT_2PI
    # Phi(z) / phi(z) = sqrt(pi / 2) erfcx(-z / sqrt(2)): no difference of tiny numbers in the quotient. erfcx overflows
    # above z of 37, where h(z) is z.
    quotient = np.sqrt(np.pi / 2) * erfcx(-np.minimum(near, 30.0) / np.sqrt(2))
    with np.errstate(divide="ignore"):
        log_h = np.where(near > 30.0, np.log(np.maximum(near, 1.0)), log_density + np.log1p(near * quotient))
    far = np.minimum(z, _FAR)
    log_far = -0.5 * far**2 - _LOG_ROOT_2PI - 2 * np.log(-far) + np.log1p(-3 / far**2 + 15 / far**4)
    result: Array = np.where(z > _FAR, log_h, log_far) + np.log(deviations)
    return result


def log_probability_of_improvement(means: Array, deviations: Array, level: Array | float) -> Array:
    """Return log P(X < level) (Kushner 1964)."""
    from scipy.special import log_ndtr

    result: Array = log_ndtr((level - means) / deviations)
    return result


def upper_confidence_bound(means: Array, deviations: Array, kappa: float) -> Array:
    """Return that of minus the error: kappa deviation - mean (Cox and John 1997)."""
    result: Array = kappa * deviations - means
    return result


def sampled_minima(rng: np.random.Generator, means: Array, deviations: Array, n: int) -> Array:
    """Return ``n`` random least values of independent normals `(m,)`, by inversion of their distribution `(n,)`.

    P(min < y) = 1 - prod(1 - Phi((y - mean) / deviation)), solved for y by bisection (Wang and Jegelka 2017,
    arXiv:1703.01968, section 3.1, without its Gumbel approximation).
    """
    from scipy.special import log_ndtr

    log_survival = np.log1p(-rng.random(n))[:, None]  # of the minimum: log of 1 - u
    low = np.full(n, (means - 10 * deviations).min())
    high = np.full(n, (means + 10 * deviations).min())
    for _ in range(_MOST_HALVINGS):
        middle = (low + high) / 2
        above = log_ndtr((means - middle[:, None]) / deviations).sum(axis=1, keepdims=True)
        too_low = (above > log_survival)[:, 0]
        low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
    minima: Array = (low + high) / 2
    return minima


def max_value_entropy_search(means: Array, deviations: Array, minima: Array) -> Array:
    """Return the information that a value gives about the least one, averaged over ``minima`` `(k,)`.

    Wang and Jegelka (2017), equation 6, for minimisation: with g = (mean - y*) / deviation,
    g phi(g) / (2 Phi(g)) - log Phi(g).
    """
    from scipy.special import log_ndtr

    g = (means[..., None] - minima) / deviations[..., None]
    log_cumulative = log_ndtr(g)
    information = 0.5 * g * np.exp(-0.5 * g**2 - _LOG_ROOT_2PI - log_cumulative) - log_cumulative
    result: Array = information.mean(axis=-1)
    return result

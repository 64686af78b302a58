"""What parameters a Gaussian process has: learned on a schedule, each time from where the last one ended."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.samplers._regression import JITTER, ROOT5, distances, fenced, standardise

Array = NDArray[np.float64]

# Normal priors (mean, deviation) of log signal variance and log noise variance, of standardised targets. The variance
# between trainings of one candidate is a few per cent of that between candidates; 20 times more or less is allowed.
_SIGNAL_PRIOR = (0.0, 1.0)
_NOISE_PRIOR = (-3.0, 1.5)
_BOUNDS = {"length": (-3.0, 6.0), "signal": (-4.0, 4.0), "noise": (-9.0, 1.0)}
_ITERATIONS, _FURTHER_ITERATIONS = 30, 15  # from lengths of 1, and from where the last fit ended
_MOST_TO_FIT = 300  # observations that parameters are learned from: .4 CPU s a fit on one core, growing as the cube
_FIRST = 3
_GROWTH = 1.1  # a fit for each tenth more of observations
_KEPT = 16  # fits: a search needs one, a comparison of several in one process a few

_learned: OrderedDict[bytes, Array] = OrderedDict()


def learn(features: Array, targets: Array) -> Array:
    """Return the parameters of maximal posterior density `(d + 2,)`, learned from the first part of observations.

    They are learned anew whenever there are a tenth more observations, from a start at the parameters before. So they
    depend on the observations in their order alone: what was learned before is only kept, not needed. Beyond 300
    observations they are learned from every second, third, ... one. Targets count up to the fence of those seen.

    The length scales have the log-normal prior of Hvarfner, Hellsten and Nardi (2024), arXiv:2402.02229: mean
    sqrt(2) + log(d)/2, deviation sqrt(3), for features of about unit range.

    Args:
        features: `(n, d)`, n at least 1.
        targets: `(n,)`, finite; may repeat.
    """
    steps = list(_schedule(len(targets)))
    keys = [_key(features[:n], targets[:n]) for n in steps]
    known = max((i for i, key in enumerate(keys) if key in _learned), default=-1)
    parameters = _learned[keys[known]] if known >= 0 else None
    for n, key in zip(steps[known + 1 :], keys[known + 1 :], strict=True):
        parameters = maximum_posterior(features[:n], fenced(targets[:n]), parameters)
        _learned[key] = parameters
    _learned.move_to_end(keys[-1])
    while len(_learned) > _KEPT:
        _learned.popitem(last=False)
    assert parameters is not None
    return parameters


def _schedule(n: int) -> Iterator[int]:
    """Yield how many observations each fit sees, up to ``n``."""
    step = min(_FIRST, n)
    while step <= n:
        yield step
        step = max(step + 1, int(step * _GROWTH))


def _key(features: Array, targets: Array) -> bytes:
    digest = hashlib.blake2b(np.ascontiguousarray(features).tobytes(), digest_size=16)
    digest.update(np.ascontiguousarray(targets).tobytes())
    return digest.digest()


def maximum_posterior(features: Array, targets: Array, known: Array | None = None) -> Array:
    """Return the parameters of maximal posterior density, by L-BFGS from lengths of 1 and from parameters known before.

    The better end is taken: what few observations say may be a hill that more of them do not lead down from.
    """
    from scipy.optimize import minimize

    d = features.shape[1]
    prior = Prior.of(d)
    bounds = [_BOUNDS["length"]] * d + [_BOUNDS["signal"], _BOUNDS["noise"]]
    _, _, standardised = standardise(targets)
    step = -(-len(targets) // _MOST_TO_FIT)
    # A length of the range of a feature is where the likelihood has a gradient.
    starts = [(np.concatenate([np.zeros(d), prior.means[d:]]), _ITERATIONS)]
    if known is not None:
        starts.append((known, _FURTHER_ITERATIONS))
    ends = [
        minimize(
            negative_log_posterior,
            start,
            (features[::step], standardised[::step], prior),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": iterations},
        )
        for start, iterations in starts
    ]
    parameters: Array = min(ends, key=lambda end: float(end.fun)).x
    return parameters


@dataclass(frozen=True, eq=False)
class Prior:
    """Independent normal priors of the parameters: means and deviations `(d + 2,)`."""

    means: Array
    deviations: Array

    @classmethod
    def of(cls, d: int) -> Prior:
        """Return the prior for ``d`` features."""
        length = (np.sqrt(2) + np.log(d) / 2, np.sqrt(3))
        means, deviations = np.array([length] * d + [_SIGNAL_PRIOR, _NOISE_PRIOR]).T
        return cls(means, deviations)


def negative_log_posterior(parameters: Array, features: Array, targets: Array, prior: Prior) -> tuple[float, Array]:
    """Return minus the log posterior density (up to a constant) and its gradient `(d + 2,)`.

    Rasmussen and Williams (2006), equations 5.8 and 5.9.
    """
    from scipy.linalg.lapack import dpotrf, dpotri

    signal, noise = np.exp(parameters[-2:])
    scaled = ROOT5 * distances(features, features, parameters)
    decay = signal * np.exp(-scaled)
    kernel = (1 + scaled + scaled**2 / 3) * decay
    noisy = kernel.copy()
    noisy.flat[:: len(targets) + 1] += noise + JITTER
    factor, _ = dpotrf(noisy, lower=1, clean=1)
    inverse, _ = dpotri(factor, lower=1)
    inverse += np.tril(inverse, -1).T
    alpha = inverse @ targets
    outer = np.outer(alpha, alpha) - inverse
    deviation = (parameters - prior.means) / prior.deviations
    value = 0.5 * targets @ alpha + np.log(np.diag(factor)).sum() + 0.5 * (deviation**2).sum()
    # dK_ij / d log l_k = 5/3 signal (1 + sqrt(5) r) exp(-sqrt(5) r) (x_ik - x_jk)^2 / l_k^2; the sum over i and j of a
    # symmetric matrix times squared differences is 2 (sum_i c_i x_i^2 - x^T C x) with the row sums c.
    slope = outer * (5 / 3 * (1 + scaled) * decay)
    places = features / np.exp(parameters[:-2])
    squared = 2 * (slope.sum(axis=1) @ places**2 - np.einsum("ik,ik->k", places, slope @ places))
    gradient = np.concatenate([-0.5 * squared, [-0.5 * (outer * kernel).sum(), -0.5 * noise * np.trace(outer)]])
    return float(value), gradient + deviation / prior.deviations

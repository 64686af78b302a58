"""Variants of the default sampler for networks: other encodings, kernels and fences, a trust region, no moves."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from nas_fpga.samplers import GaussianProcessSampler, _learning, _regression
from nas_fpga.samplers._base import History
from nas_fpga.samplers._belief import Belief
from nas_fpga.space import Candidate, MLPSpace, Rows, Space, depths_of, widths_of

Array = NDArray[np.float64]
S = TypeVar("S", bound=Space[Any])


# -- encodings -----------------------------------------------------------------------------------------------------


def _log_widths(space: MLPSpace, rows: Rows) -> Array:
    """Return depth, the log width of every layer (0 beyond the depth), and bits."""
    widths = np.log(np.maximum(widths_of(rows), 1)) / np.log(space.budget)
    return np.column_stack([depths_of(rows) / space.max_layers, widths, rows[:, -2:] / 8])


def _summaries(space: MLPSpace, rows: Rows) -> Array:
    """Return the log of depth, total, narrowest layer and weights, and of bits: no layer by itself."""
    return MLPSpace.encode(space, rows)[:, [0, 1, 2, 3, 9, 10]]


def _profile_alone(space: MLPSpace, rows: Rows) -> Array:
    """Return depth, the widths at five relative depths, and bits: no summary."""
    return MLPSpace.encode(space, rows)[:, [0, 4, 5, 6, 7, 8, 9, 10]]


def _arc(space: MLPSpace, rows: Rows) -> Array:
    """Return depth, every layer on an arc that inactive ones lie at the centre of, and bits.

    Swersky et al. (2014), "Raiders of the lost architecture", arXiv:1409.4011, with the radius learned and half a turn.
    """
    widths = widths_of(rows)
    angles = np.pi / 2 * np.log(np.maximum(widths, 1)) / np.log(space.budget)
    active = widths > 0
    return np.column_stack(
        [depths_of(rows) / space.max_layers, active * np.sin(angles), active * np.cos(angles), rows[:, -2:] / 8]
    )


def _layers(space: MLPSpace, rows: Rows) -> Array:
    """Return the summaries, and the log width of every layer, -1 beyond the depth: what :class:`LayerKernel` reads."""
    widths = widths_of(rows)
    logs = np.where(widths > 0, np.log(np.maximum(widths, 1)) / np.log(space.budget), -1.0)
    return np.column_stack([_summaries(space, rows), logs])


ENCODINGS: dict[str, Callable[[MLPSpace, Rows], Array]] = {
    "widths": _log_widths,
    "summaries": _summaries,
    "profile": _profile_alone,
    "arc": _arc,
}


@dataclass(frozen=True)
class EncodedSpace(MLPSpace):
    """The same space with other features."""

    encoding: Callable[[MLPSpace, Rows], Array] = _log_widths

    def encode(self, rows: Rows) -> Array:
        """Return the features of the encoding."""
        return self.encoding(self, rows)


def still(space: S) -> S:
    """Return the same space without local moves."""
    none = {"moves": lambda self, rng, rows, n: rows[:0]}
    kind = type(f"Still{type(space).__name__}", (type(space),), none)
    found: S = kind(**{field.name: getattr(space, field.name) for field in dataclasses.fields(cast(Any, space))})
    return found


@dataclass(frozen=True)
class RowsSpace(MLPSpace):
    """The same space, of which nothing but some rows is drawn, and the nearest of these as moves.

    Attributes:
        drawn: The rows, distinct `(r, columns)`.
        places: Their features, each in a unit of its own `(r, k)`.
        units: These units `(k,)`.
    """

    drawn: Rows = field(default_factory=lambda: np.zeros((0, 0), np.int32), compare=False)
    places: Array = field(default_factory=lambda: np.zeros((0, 0)), compare=False)
    units: Array = field(default_factory=lambda: np.zeros(0), compare=False)

    def sample(self, rng: np.random.Generator, n: int) -> Rows:
        """Return different ones of the rows."""
        return self.drawn[rng.permutation(len(self.drawn))[:n]]

    def moves(self, rng: np.random.Generator, rows: Rows, n: int) -> Rows:
        """Return the nearest of each row, 64 at most."""
        k = min(64, -(-n // max(len(rows), 1)))
        near = [((self.places - place) ** 2).sum(axis=1).argsort()[:k] for place in self.encode(rows) / self.units]
        return self.drawn[np.concatenate(near)] if near else rows


def as_kind(kind: type[MLPSpace], space: MLPSpace, **options: Any) -> MLPSpace:
    """Return a space as one of another kind, with options of that."""
    values = {field.name: getattr(space, field.name) for field in dataclasses.fields(MLPSpace)}
    return kind(**values, **options)


# -- kernels and priors --------------------------------------------------------------------------------------------


@contextmanager
def _replaced(*places: tuple[Any, str, Any]) -> Iterator[None]:
    """Put other values in some places for a while."""
    before = [getattr(owner, name) for owner, name, _ in places]
    try:
        for owner, name, value in places:
            setattr(owner, name, value)
        yield
    finally:
        for (owner, name, _), value in zip(places, before, strict=True):
            setattr(owner, name, value)


def _short_prior(d: int) -> _learning.Prior:
    usual, lengths = _USUAL_PRIOR(d), np.arange(d + 2) < d
    return _learning.Prior(np.where(lengths, 0.0, usual.means), np.where(lengths, 1.0, usual.deviations))


_USUAL_PRIOR = _learning.Prior.of


@dataclass(frozen=True)
class ShortLengthsSampler(GaussianProcessSampler[Candidate]):
    """Ours with a prior of lengths about the range of a feature."""

    learned: ClassVar[OrderedDict[bytes, Array]] = OrderedDict()

    def ask(self, history: History[Candidate], pending: Sequence[Candidate], n: int) -> list[Candidate]:
        """Return the next candidates."""
        with _replaced((_learning.Prior, "of", _short_prior), (_learning, "_learned", self.learned)):
            return super().ask(history, pending, n)


class LayerKernel:
    """A Matern kernel of the summaries plus one that is additive over the layers that both networks have.

    With s the share of the second: ``(1 - s) M(summaries) + s / sqrt(d d') sum_l M(|log w_l - log w'_l| / length)``,
    d and d' the depths; 1 where a network meets itself. Parameters: log lengths of the six summaries, the log length
    of log widths, logit of s, log signal, log noise.
    """

    n_summaries: ClassVar[int] = 6
    prior: ClassVar[_learning.Prior] = _learning.Prior(
        np.array([*_USUAL_PRIOR(6).means[:6], 0.0, 0.0, *_USUAL_PRIOR(6).means[-2:]]),
        np.array([*_USUAL_PRIOR(6).deviations[:6], 1.5, 1.5, *_USUAL_PRIOR(6).deviations[-2:]]),
    )

    @classmethod
    def split(cls, parameters: Array) -> tuple[Array, float, float]:
        """Return parameters of the summaries' kernel of unit variance, length of widths, and the share of layers."""
        of_summaries = np.concatenate([parameters[: cls.n_summaries], [0.0, 0.0]])
        return of_summaries, float(np.exp(parameters[-4])), float(1 / (1 + np.exp(-parameters[-3])))

    @classmethod
    def layers(cls, a: Array, b: Array, length: float) -> tuple[Array, Array]:
        """Return the kernel of layers `(len(a), len(b))` and its derivative by the log length."""
        kernel, slope = np.zeros((len(a), len(b))), np.zeros((len(a), len(b)))
        for one, other in zip(a.T, b.T, strict=True):
            both = (one >= 0)[:, None] & (other >= 0)
            if not both.any():
                continue
            scaled = _regression.ROOT5 * np.abs(one[:, None] - other) / length
            decay = np.exp(-scaled) * both
            kernel += (1 + scaled + scaled**2 / 3) * decay
            slope += scaled**2 / 3 * (1 + scaled) * decay
        depths = np.sqrt((a >= 0).sum(axis=1)[:, None] * (b >= 0).sum(axis=1))
        return kernel / depths, slope / depths

    @classmethod
    def covariance(cls, a: Array, b: Array, parameters: Array) -> Array:
        """Return the covariance without noise `(len(a), len(b))`."""
        k = cls.n_summaries
        of_summaries, length, share = cls.split(parameters)
        summaries = _USUAL_COVARIANCE(a[:, :k], b[:, :k], of_summaries)
        layers, _ = cls.layers(a[:, k:], b[:, k:], length)
        covariances: Array = np.exp(parameters[-2]) * ((1 - share) * summaries + share * layers)
        return covariances

    @classmethod
    def negative_log_posterior(cls, parameters: Array, features: Array, targets: Array) -> tuple[float, Array]:
        """Return minus the log posterior density (up to a constant) and its gradient."""
        k = cls.n_summaries
        signal, noise = np.exp(parameters[-2:])
        of_summaries, length, share = cls.split(parameters)
        scaled = _regression.ROOT5 * _regression.distances(features[:, :k], features[:, :k], of_summaries)
        summaries = (1 + scaled + scaled**2 / 3) * np.exp(-scaled)
        layers, by_length = cls.layers(features[:, k:], features[:, k:], length)
        kernel = signal * ((1 - share) * summaries + share * layers)
        noisy = kernel + (noise + _regression.JITTER) * np.eye(len(targets))
        factor = np.linalg.cholesky(noisy)
        inverse = np.linalg.inv(noisy)
        alpha = inverse @ targets
        outer = np.outer(alpha, alpha) - inverse
        deviation = (parameters - cls.prior.means) / cls.prior.deviations
        value = 0.5 * targets @ alpha + np.log(np.diag(factor)).sum() + 0.5 * (deviation**2).sum()
        slope = outer * (signal * (1 - share) * 5 / 3 * (1 + scaled) * np.exp(-scaled))
        places = features[:, :k] / np.exp(parameters[:k])
        by_lengths = 2 * (slope.sum(axis=1) @ places**2 - np.einsum("ik,ik->k", places, slope @ places))
        others = [
            (outer * (signal * share * by_length)).sum(),
            (outer * (signal * share * (1 - share) * (layers - summaries))).sum(),
            (outer * kernel).sum(),
            noise * np.trace(outer),
        ]
        gradient = -0.5 * np.concatenate([by_lengths, others])
        return float(value), gradient + deviation / cls.prior.deviations

    @classmethod
    def maximum_posterior(cls, features: Array, targets: Array, known: Array | None = None) -> Array:
        """Return the parameters of maximal posterior density, from lengths of 1 and from parameters known before."""
        from scipy.optimize import minimize

        _, _, standardised = _regression.standardise(targets)
        starts = [np.concatenate([np.zeros(cls.n_summaries), [-1.0], cls.prior.means[-3:]])]
        starts += [] if known is None else [known]
        bounds = [(-3.0, 6.0)] * (cls.n_summaries + 1) + [(-6.0, 6.0), (-4.0, 4.0), (-9.0, 1.0)]
        ends = [
            minimize(
                cls.negative_log_posterior,
                start,
                (features, standardised),
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
                options={"maxiter": 30},
            )
            for start in starts
        ]
        parameters: Array = min(ends, key=lambda end: float(end.fun)).x
        return parameters


_USUAL_COVARIANCE = _regression.covariance


@dataclass(frozen=True)
class LayerKernelSampler(GaussianProcessSampler[Candidate]):
    """Ours with :class:`LayerKernel`."""

    learned: ClassVar[OrderedDict[bytes, Array]] = OrderedDict()

    @classmethod
    def of(cls, space: MLPSpace, seed: int) -> LayerKernelSampler:
        """Return the sampler on the features that its kernel reads."""
        return cls(as_kind(EncodedSpace, space, encoding=_layers), seed)

    def ask(self, history: History[Candidate], pending: Sequence[Candidate], n: int) -> list[Candidate]:
        """Return the next candidates."""
        with _replaced(
            (_regression, "covariance", LayerKernel.covariance),
            (_learning, "maximum_posterior", LayerKernel.maximum_posterior),
            (_learning, "_learned", self.learned),
        ):
            return super().ask(history, pending, n)


# -- trust region --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TrustRegionSampler(GaussianProcessSampler[Any]):
    """Ours, whose candidates are but moves from the front once that stands still.

    It stands still when none of the last ``stalled`` candidates is on it, or past ``always`` observations. Candidates
    are within ``reach`` moves of it; the farther, the fewer.
    """

    stalled: int = 20
    always: int = 200
    reach: int = 3

    def _draw(self, rng: np.random.Generator, belief: Belief[Any]) -> Rows:
        front = belief.front(self.goal)
        front = front if self.goal == "front" else front[:1]
        recent = {row.tobytes() for row in belief.rows[-self.stalled :]}
        still = len(belief.rows) > self.stalled and not any(row.tobytes() in recent for row in front)
        if not len(front) or not (still or len(belief.rows) > self.always):
            return super()._draw(rng, belief)
        rows, found = front, []
        for i in range(self.reach):
            rows = self.space.moves(rng, rows, 2000 >> i)
            found.append(rows)
        return np.concatenate(found)


# -- fence ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FencedSampler(GaussianProcessSampler[Any]):
    """Ours with errors fenced elsewhere, ``at`` interquartile ranges above the third quartile."""

    at: float = 0.5
    learned: OrderedDict[bytes, Array] = field(default_factory=OrderedDict, repr=False)

    def ask(self, history: History[Any], pending: Sequence[Any], n: int) -> list[Any]:
        """Return the next candidates."""
        with _replaced((_regression, "FENCE", self.at), (_learning, "_learned", self.learned)):
            return super().ask(history, pending, n)

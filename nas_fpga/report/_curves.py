"""Curves as a screen shows them: receiver operating characteristics, score distributions, weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.training import QuantizedNetwork, roc_curve

_STEPS_X, _STEPS_PER_DECADE = 400, 100  # of a ROC, finer than the pixels of a plot
_MOST_BINS, _LEAST_BINS = 60, 10  # of a distribution; twice the root of the rows in between
_TAIL = 0.001  # of the scores, on either side, that ends up in the outermost bins


@dataclass(frozen=True)
class RocLine:
    """A receiver operating characteristic, thinned to what a screen can show.

    Attributes:
        signal: Signal efficiencies, ascending.
        background: Background efficiencies.
        working_point: Signal and background efficiency where the network decides.
    """

    signal: tuple[float, ...]
    background: tuple[float, ...]
    working_point: tuple[float, float]


def roc_line(
    scores: NDArray[np.float64],
    is_signal: NDArray[np.bool_],
    weights: NDArray[np.float64],
    passes: NDArray[np.bool_],
) -> RocLine:
    """Return the ROC of scores `(n,)`, with the working point at which ``passes`` `(n,)` decides."""
    curve = roc_curve(scores, is_signal, weights)
    floor = 0.5 / np.count_nonzero(weights[~is_signal])
    heights = np.log10(np.maximum(curve.background_efficiency, floor)) * _STEPS_PER_DECADE
    steps = np.stack([curve.signal_efficiency * _STEPS_X, heights]).round().astype(np.int64)
    changes = np.any(np.diff(steps, axis=1, prepend=steps[:, :1] - 1) != 0, axis=0)
    changes |= np.append(changes[1:], True)  # the last before a change too: a step stays a step
    shares = [
        float(np.sum(weights, where=passes & part) / np.sum(weights, where=part)) for part in (is_signal, ~is_signal)
    ]
    return RocLine(
        tuple(curve.signal_efficiency[changes].tolist()),
        tuple(np.maximum(curve.background_efficiency[changes], floor).tolist()),
        (shares[0], max(shares[1], float(floor))),
    )


@dataclass(frozen=True)
class Distributions:
    """Scores of one class and of the others, as shares by bin.

    Attributes:
        title: Which class the scores are for.
        centres: Of the bins; the outermost hold all beyond.
        shares: By name of the class or of the rest, the share of its rows in each bin.
        threshold: The working point, where there is one.
    """

    title: str
    centres: tuple[float, ...]
    shares: tuple[tuple[str, tuple[float, ...]], ...]
    threshold: float | None


def distributions(
    title: str,
    scores: NDArray[np.float64],
    parts: Sequence[tuple[str, NDArray[np.bool_]]],
    weights: NDArray[np.float64],
    threshold: float | None,
) -> Distributions:
    """Return the distribution of scores `(n,)` in each part of the rows, which may share a name."""
    low, high = np.quantile(scores, [_TAIL, 1 - _TAIL])
    if high <= low:
        low, high = low - 0.5, low + 0.5
    fewest = min(int(rows.sum()) for _, rows in parts)
    edges = np.linspace(low, high, int(np.clip(2 * fewest**0.5, _LEAST_BINS, _MOST_BINS)) + 1)
    clipped = np.clip(scores, low, high)
    shares = []
    for name, rows in parts:
        counts, _ = np.histogram(clipped[rows], edges, weights=weights[rows])
        shares.append((name, tuple((counts / counts.sum()).tolist())))
    centres = (edges[1:] + edges[:-1]) / 2
    return Distributions(title, tuple(centres.tolist()), tuple(shares), threshold)


@dataclass(frozen=True)
class LayerWeights:
    """Which integer weights the layers of a network have.

    Attributes:
        codes: Integer values, ascending.
        shares: For each layer the share of its weights other than 0 that have each value; None for none and at 0.
    """

    codes: tuple[int, ...]
    shares: tuple[tuple[float | None, ...], ...]


def layer_weights(network: QuantizedNetwork) -> LayerWeights:
    """Count the weights of every layer by value."""
    least = min(int(layer.weights.min(initial=-1)) for layer in network.layers)
    most = max(int(layer.weights.max(initial=1)) for layer in network.layers)
    shares = []
    for layer in network.layers:
        counts = np.bincount((layer.weights - least).ravel(), minlength=most - least + 1)
        counts[-least] = 0
        total = max(int(counts.sum()), 1)
        shares.append(tuple(count / total if count else None for count in counts.tolist()))
    return LayerWeights(tuple(range(least, most + 1)), tuple(shares))

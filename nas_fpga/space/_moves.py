"""Local moves on topologies: each takes `(n, max_layers)` widths and changes every row that it can be applied to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Widths = NDArray[np.int64]
Move = Callable[[np.random.Generator, Widths], Widths]

# Steps of a width on the log scale: a typical move changes a width by a factor of 1.4, a rare one by 2.
_LOG_STEP = 0.35


def scale(rng: np.random.Generator, widths: Widths) -> Widths:
    """Multiply all layers by one factor."""
    factors = np.exp(_LOG_STEP * rng.standard_normal((len(widths), 1)))
    return _round(rng, factors * widths)


def resize(rng: np.random.Generator, widths: Widths) -> Widths:
    """Multiply one layer by a factor."""
    at = _any_layer(rng, widths)
    factors = np.exp(2 * _LOG_STEP * rng.standard_normal((len(widths), 1)))
    changed = widths.copy()
    np.put_along_axis(changed, at, _round(rng, factors * np.take_along_axis(widths, at, 1)), 1)
    return changed


def transfer(rng: np.random.Generator, widths: Widths) -> Widths:
    """Move neurons from one layer to another; the total stays."""
    depths = _depths(widths)
    giver = _any_layer(rng, widths)
    other = 1 + (rng.random(depths.shape) * (depths - 1)).astype(np.int64)
    taker = (giver + np.minimum(other, np.maximum(depths - 1, 1))) % depths
    available = np.take_along_axis(widths, giver, 1) - 1
    amount = np.minimum(1 + (rng.random(depths.shape) * available / 2).astype(np.int64), available)
    changed = widths.copy()
    np.put_along_axis(changed, giver, np.take_along_axis(changed, giver, 1) - amount, 1)
    np.put_along_axis(changed, taker, np.take_along_axis(changed, taker, 1) + amount, 1)
    return changed


def insert(rng: np.random.Generator, widths: Widths) -> Widths:
    """Insert a layer about as wide as its neighbours."""
    n, max_layers = widths.shape
    depths = _depths(widths)
    at = (rng.random((n, 1)) * (depths + 1)).astype(np.int64)
    before = np.take_along_axis(widths, np.maximum(at - 1, 0), 1)
    after = np.take_along_axis(widths, np.minimum(at, depths - 1), 1)
    new = _round(rng, np.sqrt(before * after) * np.exp(_LOG_STEP * rng.standard_normal((n, 1))))
    changed = _shift_right(widths, at)
    np.put_along_axis(changed, np.minimum(at, max_layers - 1), new, 1)
    return np.where(depths < max_layers, changed, widths)


def delete(rng: np.random.Generator, widths: Widths) -> Widths:
    """Delete a layer."""
    return np.where(_depths(widths) > 1, _shift_left(widths, _any_layer(rng, widths)), widths)


def split(rng: np.random.Generator, widths: Widths) -> Widths:
    """Split a layer into two that follow each other; the total stays."""
    max_layers = widths.shape[1]
    at = _any_layer(rng, widths)
    width = np.take_along_axis(widths, at, 1)
    first = 1 + (rng.random(width.shape) * (width - 1)).astype(np.int64)
    changed = _shift_right(widths, at)
    np.put_along_axis(changed, at, first, 1)
    np.put_along_axis(changed, np.minimum(at + 1, max_layers - 1), width - first, 1)
    return np.where((_depths(widths) < max_layers) & (width > 1), changed, widths)


def merge(rng: np.random.Generator, widths: Widths) -> Widths:
    """Merge two layers that follow each other; the total stays."""
    depths = _depths(widths)
    at = (rng.random(depths.shape) * (depths - 1)).astype(np.int64)
    following = np.minimum(at + 1, depths - 1)
    changed = widths.copy()
    both = np.take_along_axis(widths, at, 1) + np.take_along_axis(widths, following, 1)
    np.put_along_axis(changed, at, both, 1)
    return np.where(depths > 1, _shift_left(changed, following), widths)


TOPOLOGY_MOVES: tuple[Move, ...] = (scale, resize, transfer, insert, delete, split, merge)


def _depths(widths: Widths) -> Widths:
    depths: Widths = np.count_nonzero(widths, axis=1)[:, None]
    return depths


def _any_layer(rng: np.random.Generator, widths: Widths) -> Widths:
    """Return the index of one layer of each row `(n, 1)`."""
    depths = _depths(widths)
    at: Widths = (rng.random(depths.shape) * depths).astype(np.int64)
    return at


def _round(rng: np.random.Generator, values: NDArray[np.float64]) -> Widths:
    """Round up or down at random, without bias, so that narrow layers can move at all; zeros stay, others reach 1."""
    rounded: Widths = np.maximum(np.floor(values + rng.random(values.shape)), values > 0).astype(np.int64)
    return rounded


def _shift_right(widths: Widths, at: Widths) -> Widths:
    """Make room for a layer at index ``at`` `(n, 1)`; the width there is repeated."""
    columns = np.arange(widths.shape[1])[None, :]
    return np.take_along_axis(widths, columns - (columns > at), 1)


def _shift_left(widths: Widths, at: Widths) -> Widths:
    """Take the layer at index ``at`` `(n, 1)` out."""
    columns = np.arange(widths.shape[1])[None, :]
    padded = np.concatenate([widths, np.zeros((len(widths), 1), np.int64)], axis=1)
    return np.take_along_axis(padded, columns + (columns >= at), 1)

"""The array form of candidates, in which pools of thousands are built, checked and costed.

A row is the topology, padded with zeros to the largest depth, then the weight bits, then the activation bits:
`(n, max_layers + 2)` int32.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nas_fpga.space._candidate import BitWidths, Candidate, TrainingSettings

Rows = NDArray[np.int32]

LEARNED_AS = 2
"""The bits that stand in rows of networks whose bits are learned: what is refused even with these is never proposed."""

_BISECTIONS = 60  # halvings of a bracket: below the resolution of float64


def rows_of(candidates: Sequence[Candidate], max_layers: int) -> Rows:
    """Return candidates as rows `(n, max_layers + 2)`; none may be deeper than ``max_layers``."""
    rows = np.zeros((len(candidates), max_layers + 2), np.int32)
    for row, candidate in zip(rows, candidates, strict=True):
        row[: candidate.n_layers] = candidate.topology
        bits = candidate.bits
        row[-2:] = (bits.weights, bits.activations) if isinstance(bits, BitWidths) else LEARNED_AS
    return rows


def candidates_of(rows: Rows, settings: TrainingSettings) -> list[Candidate]:
    """Return rows as candidates with fixed bits, in plain Python integers."""
    return [Candidate(tuple(w for w in row[:-2] if w), BitWidths(row[-2], row[-1]), settings) for row in rows.tolist()]


def widths_of(rows: Rows) -> Rows:
    """Return the widths `(n, max_layers)`, zero beyond the depth: a view."""
    return rows[:, :-2]


def depths_of(rows: Rows) -> NDArray[np.int64]:
    """Return the number of hidden layers `(n,)`."""
    depths: NDArray[np.int64] = np.count_nonzero(rows[:, :-2], axis=1)
    return depths


def totals_of(rows: Rows) -> NDArray[np.int64]:
    """Return the hidden neurons over all layers `(n,)`."""
    totals: NDArray[np.int64] = rows[:, :-2].sum(axis=1, dtype=np.int64)
    return totals


def narrowest_of(rows: Rows) -> NDArray[np.int64]:
    """Return the width of the narrowest layer `(n,)`."""
    widths = widths_of(rows).astype(np.int64)
    narrowest: NDArray[np.int64] = np.where(widths > 0, widths, np.iinfo(np.int64).max).min(axis=1)
    return narrowest


def n_macs_of(rows: Rows, n_inputs: int, n_outputs: int) -> NDArray[np.int64]:
    """Return multiplications of one inference `(n,)`, as :meth:`Candidate.n_macs`."""
    widths = widths_of(rows).astype(np.int64)
    last = np.take_along_axis(widths, depths_of(rows)[:, None] - 1, axis=1)[:, 0]
    hidden = (widths[:, :-1] * widths[:, 1:]).sum(axis=1)
    macs: NDArray[np.int64] = n_inputs * widths[:, 0] + hidden + last * n_outputs
    return macs


def n_params_of(rows: Rows, n_inputs: int, n_outputs: int) -> NDArray[np.int64]:
    """Return trainable parameters `(n,)`, as :meth:`Candidate.n_params`."""
    return n_macs_of(rows, n_inputs, n_outputs) + totals_of(rows) + n_outputs


def apportion(weights: NDArray[np.float64], totals: NDArray[np.int64], max_width: int) -> NDArray[np.int64]:
    """Divide totals among layers in proportion to weights, rounded by largest remainder.

    Every layer gets at least 1 and at most ``max_width``; what a bound adds or takes is shared by the others.

    Args:
        weights: `(n, max_layers)`, above 0 for the layers that exist, 0 elsewhere.
        totals: `(n,)`, between the number of layers and ``max_width`` times it.
        max_width: Largest width of a layer.

    Returns:
        Widths `(n, max_layers)` that sum to ``totals``; 0 where the weight is.
    """
    active = weights > 0
    lower = active.astype(np.float64)
    upper = lower * max_width
    quotas = weights * (totals / weights.sum(axis=1))[:, None]
    bound = ((quotas < lower) | (quotas > upper)).any(axis=1)
    if bound.any():
        quotas[bound] = _bounded_quotas(weights[bound], totals[bound], lower[bound], upper[bound])
    floors = np.floor(quotas)
    missing = totals - floors.sum(axis=1).astype(np.int64)
    order = np.argsort(floors - quotas, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(weights.shape[1])[None, :], axis=1)
    widths: NDArray[np.int64] = floors.astype(np.int64) + (rank < missing[:, None])
    return widths


def _bounded_quotas(
    weights: NDArray[np.float64],
    totals: NDArray[np.int64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return ``clip(factor * weights, lower, upper)`` with the factor at which each row sums to its total."""
    positive = np.where(weights > 0, weights, np.nan)
    low = np.log(np.nanmin(lower / positive, axis=1))
    high = np.log(np.nanmax(upper / positive, axis=1))
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        over = np.clip(np.exp(middle)[:, None] * weights, lower, upper).sum(axis=1) > totals
        high = np.where(over, middle, high)
        low = np.where(over, low, middle)
    bounded: NDArray[np.float64] = np.clip(np.exp(low)[:, None] * weights, lower, upper)
    return bounded

"""Columns that give a class away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_ROWS = 100_000
_MOST_BINS = 200
_ROWS_PER_BIN = 20
_THRESHOLD = 0.99


def gives_away(columns: Mapping[str, NDArray[Any]], labels: NDArray[np.int64], target: str) -> list[str]:
    """Return a sentence for each column that nearly is a function of the target, or the target of it.

    Both are told by Goodman and Kruskal's lambda, the share of errors that knowing one saves in guessing the other
    (doi:10.1080/01621459.1954.10501231), from 0.99 on. Columns of many values are cut into bins of equally many rows.

    Args:
        columns: `(n,)` each, of numbers or text.
        labels: `(n,)`, class of each row.
        target: Name of the target, for the sentences.
    """
    n, told = len(labels), []
    # At random: every tenth row of a file whose classes take turns would be of one class.
    rows = np.random.default_rng(0).permutation(n)[:_MOST_ROWS] if n > _MOST_ROWS else np.arange(n)
    sampled = labels[rows]
    for name, column in columns.items():
        codes = _codes(column[rows])
        counts = np.bincount(codes * (labels.max() + 1) + sampled, minlength=(codes.max() + 1) * (labels.max() + 1))
        counts = counts.reshape(codes.max() + 1, -1)
        if _saved(counts) >= _THRESHOLD:
            right = counts.max(axis=1).sum() / len(sampled)
            told.append(f"Column '{name}' alone tells '{target}' in {right:.1%} of the rows: a leak?")
        elif _saved(counts.T) >= _THRESHOLD:
            right = counts.max(axis=0).sum() / len(sampled)
            told.append(f"Column '{name}' follows from '{target}' in {right:.1%} of the rows: a leak?")
    return told


def _codes(column: NDArray[Any]) -> NDArray[np.int64]:
    """Return a small number for each row, which stands for a value or for a range of them."""
    values, codes = np.unique(column, return_inverse=True)
    most = max(min(_MOST_BINS, len(column) // _ROWS_PER_BIN), 2)
    if len(values) <= most:
        return codes.astype(np.int64)
    ranks = np.cumsum(np.bincount(codes)) - 1  # of the last row of each value: equal values share a bin
    return (ranks[codes] * most // len(column)).astype(np.int64)


def _saved(counts: NDArray[np.int64]) -> float:
    """Return lambda of the columns given the rows of a table of counts; 0 where the columns never vary."""
    errors = counts.sum() - counts.sum(axis=0).max()
    return float((counts.max(axis=1).sum() - counts.sum(axis=0).max()) / errors) if errors else 0.0

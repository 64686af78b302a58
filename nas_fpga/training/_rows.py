"""The rows that networks are trained and stopped on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import Dataset


@dataclass(frozen=True, eq=False)
class Rows:
    """One subset, with the weights of the loss.

    Attributes:
        inputs: `(n, d)` float32, what networks are given.
        labels: `(n,)` int32.
        weights: `(n,)` float32 of mean 1; all classes weigh the same.
    """

    inputs: NDArray[np.float32]
    labels: NDArray[np.int32]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.labels)

    @classmethod
    def of(cls, dataset: Dataset, rows: NDArray[np.int64], inputs: NDArray[np.float32]) -> Rows:
        """Return these rows of a data set, classes balanced, with what networks are given of them `(n, d)`."""
        labels, weights = dataset.labels[rows], dataset.weights[rows].copy()
        totals = np.bincount(labels, weights, dataset.n_classes)
        weights *= (weights.sum() / dataset.n_classes / totals)[labels]
        return cls(inputs, labels.astype(np.int32), (weights / weights.mean()).astype(np.float32))

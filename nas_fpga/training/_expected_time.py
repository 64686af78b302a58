"""How long a candidate is expected to train: what samplers weigh a gain with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nas_fpga.space import Rows, depths_of, n_macs_of, totals_of

# Seconds on a core without AVX-512. Only their ratios matter, and these are much the same on a faster one. Epochs are
# within 15 % of those in benchmarks/training/costs.csv: 1 to 15 layers, 32 to 512 wide, 55,000 to 220,000 rows. There
# compiling takes 1.2 s and .16 s a layer; what judging and writing down a network add to that is an estimate.
_START_S = 2.0
_START_OF_A_LAYER_S = 0.3
_S_OF_WORK = 1e-10


def work_of_row(n_macs: ArrayLike, n_neurons: ArrayLike, n_layers: ArrayLike) -> NDArray[np.float64]:
    """Return the work of training on one row once, in multiplications.

    A multiplication, an activation and a layer cost as 1, 17 and 235 (least squares over epochs measured on a core of
    nine networks from 8 neurons to 352-159-269-996).

    Args:
        n_macs: Multiplications of an inference.
        n_neurons: Hidden neurons.
        n_layers: Layers, that of the outputs included.
    """
    return np.asarray(n_macs) + 17.0 * np.asarray(n_neurons) + 235.0 * np.asarray(n_layers)


@dataclass(frozen=True)
class ExpectedTime:
    """Expected time of a training with all its epochs, from the topology alone.

    Attributes:
        n_inputs: Features.
        n_outputs: Outputs of the network.
        n_rows: Training rows.
    """

    n_inputs: int
    n_outputs: int
    n_rows: int

    def __call__(self, rows: Rows, epochs: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return seconds `(n,)` on some core.

        Args:
            rows: `(n, max_layers + 2)`: widths of the hidden layers padded with zeros, weight bits, activation bits.
            epochs: `(n,)`.
        """
        n_layers = depths_of(rows) + 1
        work = work_of_row(n_macs_of(rows, self.n_inputs, self.n_outputs), totals_of(rows), n_layers)
        training_s: NDArray[np.float64] = _S_OF_WORK * self.n_rows * epochs * work
        return _START_S + _START_OF_A_LAYER_S * n_layers + training_s

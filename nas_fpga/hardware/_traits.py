"""What the laws need to know of dense layers: measured on a trained network or expected before training."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from nas_fpga.hardware._weights import enclosed_bits, weight_statistics
from nas_fpga.training import QuantizedNetwork

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LayerTraits:
    """Dense layers as arrays `(..., n_layers)`; a layer that is not there is 0 throughout. Counts may be expected ones.

    Attributes:
        n_in: Inputs.
        n_out: Outputs.
        weight_bits: Bits of the weights, sign included.
        input_bits: Bits of the inputs.
        has_activation: 1 where ReLU, rounding and saturation follow, 0 at the output layer.
        nonzero, enclosed_bits, csd_digits, distinct_powers, distinct_others, dsp_products: As in
            :class:`~nas_fpga.hardware._weights.WeightStatistics`.
        busy_inputs, busy_outputs: The same.
        bias_bits: Bits between highest and lowest set bit of the biases, summed.
    """

    n_in: Array
    n_out: Array
    weight_bits: Array
    input_bits: Array
    has_activation: Array
    nonzero: Array
    enclosed_bits: Array
    csd_digits: Array
    distinct_powers: Array
    distinct_others: Array
    dsp_products: Array
    busy_inputs: Array
    busy_outputs: Array
    bias_bits: Array

    @property
    def present(self) -> NDArray[np.bool_]:
        """Whether the layer is there."""
        return self.n_out > 0

    @property
    def ebops(self) -> Array:
        """Effective bit operations `(...)`: weight bits times input bits, and bias bits (HGQ, arXiv:2405.00645)."""
        total: Array = (self.input_bits * self.enclosed_bits + self.bias_bits).sum(axis=-1)
        return total


def live_weights(network: QuantizedNetwork) -> list[NDArray[np.int32]]:
    """Return the weights of every layer, 0 where synthesis drops them.

    A neuron without incoming weights is a constant, which goes into the next biases; one whose outputs nobody uses is
    dropped with all that feeds it.
    """
    matrices = [layer.weights.copy() for layer in network.layers]
    for before, after in itertools.pairwise(matrices):
        after[~before.any(axis=0)] = 0
    for before, after in reversed(list(itertools.pairwise(matrices))):
        before[:, ~after.any(axis=1)] = 0
    return matrices


def measured_traits(network: QuantizedNetwork) -> LayerTraits:
    """Return the traits `(n_layers,)` of a trained network; all but EBOPs count what synthesis keeps."""
    rows = []
    input_bits = network.input_format.bits
    for layer, weights in zip(network.layers, live_weights(network), strict=True):
        row = asdict(weight_statistics(weights))
        row["enclosed_bits"] = int(enclosed_bits(layer.weights).sum())
        row["bias_bits"] = int(enclosed_bits(layer.bias).sum())
        row["n_in"], row["n_out"] = layer.n_in, layer.n_out
        row["weight_bits"] = int(np.abs(weights).max(initial=0)).bit_length() + 1
        row["input_bits"] = input_bits
        row["has_activation"] = layer.activation_bits is not None
        rows.append(row)
        input_bits = layer.activation_bits or 0
    return LayerTraits(**{f.name: np.array([row[f.name] for row in rows], np.float64) for f in fields(LayerTraits)})

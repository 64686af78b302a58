"""What the laws need to know of dense layers: measured on a trained network or expected before training."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from nas_fpga.hardware._weights import csd_digits, weight_statistics
from nas_fpga.training import QuantizedNetwork, effective_bits

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LayerTraits:
    """Dense layers as arrays `(..., n_layers)`; a layer that is not there is 0 throughout. Counts may be expected ones.

    Attributes:
        n_in: Inputs.
        n_out: Outputs.
        weight_bits: Bits of the one type that holds all weights, sign included.
        input_bits: Bits of an input; the mean over signed digits of the weights where inputs differ.
        input_type_bits: Bits of the one type that holds all inputs.
        has_activation: 1 where ReLU, rounding and saturation follow, 0 at the output layer.
        bit_operations: Bits between highest and lowest set bit of a weight times those of its input, summed.
        nonzero, csd_digits, distinct_powers, distinct_others, dsp_products, busy_inputs, busy_outputs: As in
            :class:`~nas_fpga.hardware._weights.WeightStatistics`.
        bias_bits: Bits between highest and lowest set bit of the biases, summed.
    """

    n_in: Array
    n_out: Array
    weight_bits: Array
    input_bits: Array
    input_type_bits: Array
    has_activation: Array
    bit_operations: Array
    nonzero: Array
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
        total: Array = (self.bit_operations + self.bias_bits).sum(axis=-1)
        return total


def live_weights(network: QuantizedNetwork) -> list[NDArray[np.int32]]:
    """Return the weights of every layer, 0 where synthesis drops them.

    A neuron without incoming weights or without bits is a constant, which goes into the next biases; one whose outputs
    nobody uses is dropped with all that feeds it.
    """
    matrices = [layer.weights.copy() for layer in network.layers]
    matrices[0][~network.input_format.used] = 0
    for layer, before, after in zip(network.layers, matrices, matrices[1:], strict=False):
        after[~before.any(axis=0) | (layer.activation_bits == 0)] = 0
    for before, after in reversed(list(itertools.pairwise(matrices))):
        before[:, ~after.any(axis=1)] = 0
    return matrices


def measured_traits(network: QuantizedNetwork) -> LayerTraits:
    """Return the traits `(n_layers,)` of a trained network; all but EBOPs count what synthesis keeps."""
    rows = []
    input_bits = network.input_format.bits
    input_type_bits = int(input_bits.max())
    for layer, weights in zip(network.layers, live_weights(network), strict=True):
        row: dict[str, float] = asdict(weight_statistics(weights))
        row["bit_operations"] = int(input_bits @ effective_bits(layer.weights).sum(axis=1))
        row["bias_bits"] = int(effective_bits(layer.bias).sum())
        row["n_in"], row["n_out"] = layer.n_in, layer.n_out
        row["weight_bits"] = int(np.where(weights < 0, ~weights, weights).max(initial=0)).bit_length() + 1
        digits = csd_digits(weights).sum(axis=1)
        row["input_bits"] = (input_bits @ digits) / digits.sum() if digits.any() else input_type_bits
        row["input_type_bits"] = input_type_bits
        row["has_activation"] = layer.activation_bits is not None
        rows.append(row)
        if layer.activation_bits is not None and layer.activation_fraction_bits is not None:
            input_bits, fraction_bits = layer.activation_bits, layer.activation_fraction_bits
            input_type_bits = int((input_bits - fraction_bits).max() + fraction_bits.max())
    return LayerTraits(**{f.name: np.array([row[f.name] for row in rows], np.float64) for f in fields(LayerTraits)})

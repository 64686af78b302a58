"""What the laws need to know of dense layers: measured on a trained network or expected before training."""

from __future__ import annotations

from dataclasses import dataclass, fields

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
        nonzero, enclosed_bits, csd_digits, distinct_powers, distinct_others, dsp_products, busy_outputs: As in
            :class:`~nas_fpga.hardware._weights.WeightStatistics`.
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


def measured_traits(network: QuantizedNetwork) -> LayerTraits:
    """Return the traits `(n_layers,)` of a trained network."""
    rows = []
    input_bits = network.input_format.bits
    for layer in network.layers:
        found = weight_statistics(layer.weights)
        largest = int(np.abs(layer.weights).max(initial=0))
        rows.append(
            {
                "n_in": layer.n_in,
                "n_out": layer.n_out,
                "weight_bits": largest.bit_length() + 1,
                "input_bits": input_bits,
                "has_activation": layer.activation_bits is not None,
                "nonzero": found.nonzero,
                "enclosed_bits": found.enclosed_bits,
                "csd_digits": found.csd_digits,
                "distinct_powers": found.distinct_powers,
                "distinct_others": found.distinct_others,
                "dsp_products": found.dsp_products,
                "busy_outputs": found.busy_outputs,
                "bias_bits": int(enclosed_bits(layer.bias).sum()),
            }
        )
        input_bits = layer.activation_bits or 0
    return LayerTraits(**{f.name: np.array([row[f.name] for row in rows], np.float64) for f in fields(LayerTraits)})

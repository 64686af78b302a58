"""Keeps hls4ml from moving the values at which activations saturate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nas_fpga.training import QuantizedLayer, QuantizedNetwork


def with_kept_saturation(network: QuantizedNetwork) -> QuantizedNetwork:
    """Return a network that computes the same and whose activations saturate in hls4ml 1.3 where they should.

    Its bit-exact pass gives a saturating quantizer no more fraction bits than the sums have that it reads
    (`_produce_kif` in `hls4ml/model/optimizer/passes/bit_exact.py`). That loses nothing below the top, but of sums on
    steps of 1/2 one with 3 bits and steps of 1/4 then saturates at 1.5 in place of 1.75, and one with too few bits left
    gives 0. A quarter of a step more in the bias rounds away again, and gives the sums the bits. Activations that their
    sums cannot saturate are left alone.
    """
    grid, (low, high) = network.input_format.grid_bits, network.input_format.ends
    layers = []
    for layer in network.layers:
        if layer.activation_bits is not None and layer.activation_fraction_bits is not None:
            fraction, of_sums = layer.activation_fraction_bits, layer.grid_of_sums(grid)
            least, largest = layer.ends_of_sums(low, high)
            low, high = layer.activate(least), layer.activate(largest)
            moved = (of_sums < fraction) & (layer.activation_bits > 0) & (largest > high)
            grid = np.where(moved, fraction, np.minimum(of_sums, fraction))
            layer = _with_quarters(layer, moved, fraction)
        layers.append(layer)
    return replace(network, layers=tuple(layers))


def _with_quarters(layer: QuantizedLayer, where: NDArray[np.bool_], fraction: NDArray[np.int64]) -> QuantizedLayer:
    """Return a layer with a quarter of a step of ``2**-fraction`` added to the biases of some outputs."""
    if not where.any():
        return layer
    finest = max(layer.bias_fraction_bits, int((fraction + 2)[where].max()))
    quarters = np.where(where, np.int64(1) << np.where(where, finest - fraction - 2, 0), 0)
    bias = (layer.bias << (finest - layer.bias_fraction_bits)) + quarters
    return replace(layer, bias=bias, bias_fraction_bits=finest)

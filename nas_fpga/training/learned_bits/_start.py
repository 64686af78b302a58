"""Where training with learned bits begins: He-normal weights with generous bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import InputFormat
from nas_fpga.training._layout import Layout
from nas_fpga.training.learned_bits._freeze import input_integer_bits
from nas_fpga.training.learned_bits._program import Parameters

_WEIGHT_BITS = 6.0  # of a weight of typical size: fewer cost precision from the start, more take epochs to lose
_UNIT_BITS = 8.0  # of hidden neurons
_OCTAVES = 4  # below its layer's largest value a neuron's range may end


def initial_parameters(
    shapes: Sequence[tuple[int, int]],
    layout: Layout,
    form: InputFormat,
    sample: NDArray[np.float32],
    means: NDArray[np.float32],
    rng: np.random.Generator,
) -> Parameters:
    """Return the parameters of an untrained member, padded.

    The first bias moves the features' means, which raw inputs keep, to zero. Integer bits of hidden neurons cover what
    the untrained network gives on the sample.

    Args:
        shapes: `(n_in, n_out)` of the member's layers.
        layout: What they are padded to.
        form: The input format: inputs start with all their bits.
        sample: `(n, d)` training rows.
        means: `(d,)` of all training rows.
        rng: For the weights.
    """
    layers, fractions = [], []
    integer_bits, fraction_bits = [input_integer_bits(form)], [form.grid_bits.astype(np.float32)]
    values = sample
    for i, (n_in, n_out) in enumerate(shapes):
        spread = np.sqrt(2 / n_in)
        kernel = (rng.standard_normal((n_in, n_out)) * spread).astype(np.float32)
        bias = (-means @ kernel if i == 0 else np.zeros(n_out)).astype(np.float32)
        layers.append((kernel, bias))
        bits = np.float32(_WEIGHT_BITS - np.rint(np.log2(spread)))
        fractions.append((np.full_like(kernel, bits), np.full_like(bias, bits)))
        if i < len(shapes) - 1:
            values = np.maximum(values @ kernel + bias, 0)
            reach = values.max(axis=0)
            reach = np.maximum(reach, max(reach.max() * 2.0**-_OCTAVES, 2.0**-_OCTAVES))
            integer_bits.append(np.ceil(np.log2(reach)).astype(np.float32))
            fraction_bits.append(np.float32(_UNIT_BITS) - integer_bits[-1])
    return Parameters(
        layout.pack_together(layers),
        layout.pack_together(fractions),
        layout.pack_units(integer_bits),
        layout.pack_units(fraction_bits),
    )

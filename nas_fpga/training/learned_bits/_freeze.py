"""From parameters to integers and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import InputFormat
from nas_fpga.space import Candidate
from nas_fpga.training._integers import trailing_zeros
from nas_fpga.training._layout import Layout
from nas_fpga.training._network import QuantizedLayer, QuantizedNetwork
from nas_fpga.training.learned_bits._program import InputGrid, Parameters

Floats = NDArray[np.float32]

_INPUT_OCTAVES = 16  # bits that an input may lose at most; more than any format has


def input_grid(form: InputFormat) -> InputGrid:
    """Return the bounds of an input format: no feature gets finer, and none loses its sign bit."""
    signed = form.signed.astype(np.float32)
    most = form.grid_bits.astype(np.float32)
    # At least no bits at all but a sign: the integer bits are those of the format.
    least = np.maximum(-input_integer_bits(form), most - _INPUT_OCTAVES)
    return InputGrid(signed, least, most)


def input_integer_bits(form: InputFormat) -> Floats:
    """Return the integer bits of what the network sees, `(d,)`; the sign is not counted."""
    integer: Floats = (form.bits - form.signed - form.grid_bits).astype(np.float32)
    return integer


def freeze(
    candidate: Candidate, form: InputFormat, shapes: Sequence[tuple[int, int]], layout: Layout, parameters: Parameters
) -> QuantizedNetwork:
    """Return the network that one member stands for, in integers; nothing is pruned yet.

    Args:
        candidate: What is trained.
        form: The input format of the search; the network's has at most its bits.
        shapes: `(n_in, n_out)` of the member's layers.
        layout: What its parameters are padded to.
        parameters: Of the member.
    """
    weights = layout.unpack_together(np.asarray(parameters.weights), shapes)
    fractions = layout.unpack_together(np.rint(np.asarray(parameters.weight_fraction)), shapes)
    integer_bits = layout.unpack_units(np.rint(np.asarray(parameters.unit_integer)), shapes)
    fraction_bits = layout.unpack_units(np.rint(np.asarray(parameters.unit_fraction)), shapes)
    layers = []
    for i, (values, bits) in enumerate(zip(weights, fractions, strict=True)):
        kernel, weight_fraction_bits = _on_finest_step(values[0], bits[0])
        bias, bias_fraction_bits = _on_finest_step(values[1], bits[1])
        hidden = i < len(weights) - 1
        unit_bits = np.maximum(integer_bits[i + 1] + fraction_bits[i + 1], 0) if hidden else None
        layers.append(
            QuantizedLayer(
                weights=kernel.astype(np.int32),
                weight_fraction_bits=weight_fraction_bits,
                bias=bias,
                bias_fraction_bits=bias_fraction_bits,
                activation_bits=None if unit_bits is None else unit_bits.astype(np.int64),
                activation_fraction_bits=fraction_bits[i + 1].astype(np.int64) if hidden else None,
            )
        )
    arriving = fraction_bits[0].astype(np.int64)
    learned = replace(form, bits=form.bits - (form.grid_bits - arriving), fraction_bits=arriving - form.scale_log2)
    return QuantizedNetwork(candidate, learned, tuple(layers))


def _on_finest_step(values: Floats, fraction_bits: Floats) -> tuple[NDArray[np.int64], int]:
    """Return integers on one step for values that each have their own: the coarsest that holds all of them."""
    rounded = np.floor(np.ldexp(values, fraction_bits.astype(np.int32)) + np.float32(0.5)).astype(np.int64)
    bits = fraction_bits.astype(np.int64) - trailing_zeros(rounded)
    finest = int(bits.max(initial=-64, where=rounded != 0))
    if finest == -64:
        return rounded, 0  # all zero
    exact = np.ldexp(rounded.astype(np.float64), finest - fraction_bits.astype(np.int64))
    return exact.astype(np.int64), finest


def thaw(network: QuantizedNetwork, form: InputFormat, layout: Layout) -> Parameters:
    """Return parameters that stand for a trained network, to train it further; the inverse of :func:`freeze`.

    Args:
        network: Its layers fit into the layout.
        form: The input format of the search, at least as fine as that of the network.
        layout: Of the parameters.
    """
    values: list[tuple[Floats, Floats]] = []
    fractions: list[tuple[Floats, Floats]] = []
    integer_bits = [input_integer_bits(form)]
    fraction_bits = [np.where(network.input_format.used, network.input_format.grid_bits, form.grid_bits)]
    for layer in network.layers:
        kernel_bits, bias_bits = layer.weight_fraction_bits, layer.bias_fraction_bits
        values.append((np.ldexp(np.float32(layer.weights), -kernel_bits), np.ldexp(np.float32(layer.bias), -bias_bits)))
        fractions.append(
            (np.full(layer.weights.shape, kernel_bits, np.float32), np.full(layer.n_out, bias_bits, np.float32))
        )
        if layer.activation_bits is not None and layer.activation_fraction_bits is not None:
            integer_bits.append((layer.activation_bits - layer.activation_fraction_bits).astype(np.float32))
            fraction_bits.append(layer.activation_fraction_bits)
    return Parameters(
        layout.pack_together(values),
        layout.pack_together(fractions),
        layout.pack_units(integer_bits),
        layout.pack_units([bits.astype(np.float32) for bits in fraction_bits]),
    )

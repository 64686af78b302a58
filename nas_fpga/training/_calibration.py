"""Where the binary points go: the steps of every layer, chosen on the host between epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import InputFormat
from nas_fpga.space import Candidate
from nas_fpga.training._network import QuantizedLayer, QuantizedNetwork

# A step moves only if that lowers the squared rounding error by this share: a step that flips every epoch costs more
# than the error it saves.
_HYSTERESIS = 0.9
_OCTAVES = 6  # how far below the largest value the range may end
_VALUES = 2**16  # enough to compare errors by; all of a wide layer's values would cost as much as its training


@dataclass(frozen=True)
class LayerSteps:
    """Steps of one layer, powers of two. ``activation`` is None in the output layer."""

    weight: float
    bias: float
    activation: float | None


def best_fraction_bits(values: NDArray[np.floating], bits: int, *, signed: bool, current: int | None = None) -> int:
    """Return the fraction bits `f` whose step ``2**-f`` gives the least squared error of ``values`` in ``bits`` bits.

    Few bits do better when rare large values saturate than when all fit, so every range from the largest value down is
    tried.

    Args:
        values: Any shape.
        bits: Bits of the integers, the sign included if ``signed``.
        signed: Whether negative integers exist; if not, negative values become 0 as in a ReLU.
        current: Fraction bits in force, kept unless another choice is clearly better.
    """
    values = np.asarray(values, np.float32).ravel()
    largest = max(float(np.max(values, initial=0.0)), -float(np.min(values, initial=0.0)) if signed else 0.0)
    values = values[:: values.size // _VALUES | 1]  # an odd stride passes through all outputs of a layer
    if not signed:
        values = np.maximum(values, 0)
    if largest == 0.0 or not np.isfinite(largest):
        return current if current is not None else bits
    low, high = (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if signed else (0.0, 2.0**bits - 1)
    coarsest = bits - int(signed) - int(np.frexp(largest)[1])

    def error(fraction_bits: int) -> float:
        step = np.float32(2.0**-fraction_bits)
        rounded = np.clip(np.floor(values / step + np.float32(0.5)), low, high) * step
        return float(np.square(rounded - values).sum(dtype=np.float64))

    errors = {f: error(f) for f in range(coarsest, coarsest + _OCTAVES)}
    best = min(errors, key=lambda f: (errors[f], f))
    if current is not None and current in errors and errors[best] > _HYSTERESIS * errors[current]:
        return current
    return best


def freeze(
    candidate: Candidate,
    input_format: InputFormat,
    parameters: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]],
    steps: Sequence[LayerSteps],
) -> QuantizedNetwork:
    """Return the network that float parameters and steps stand for, in integers.

    Args:
        candidate: What the parameters belong to.
        input_format: In front of the first layer.
        parameters: Kernel `(n_in, n_out)` and bias `(n_out,)` of every layer.
        steps: Of every layer.
    """
    bits = candidate.uniform_bits
    reach = 2 ** (bits.weights - 1)
    layers = []
    for (kernel, bias), step in zip(parameters, steps, strict=True):
        layers.append(
            QuantizedLayer(
                weights=np.clip(np.floor(kernel / np.float32(step.weight) + np.float32(0.5)), -reach, reach - 1).astype(
                    np.int32
                ),
                weight_fraction_bits=_fraction_bits(step.weight),
                bias=np.floor(bias.astype(np.float64) / step.bias + 0.5).astype(np.int64),
                bias_fraction_bits=_fraction_bits(step.bias),
                activation_bits=None if step.activation is None else np.full(len(bias), bits.activations, np.int64),
                activation_fraction_bits=(
                    None if step.activation is None else np.full(len(bias), _fraction_bits(step.activation), np.int64)
                ),
            )
        )
    return QuantizedNetwork(candidate, input_format, tuple(layers))


def calibrate(
    candidate: Candidate,
    input_format: InputFormat,
    parameters: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]],
    inputs: NDArray[np.float32],
    current: Sequence[LayerSteps] | None,
) -> tuple[LayerSteps, ...]:
    """Choose the steps of all layers, from the input side on, for the parameters as they are now.

    Args:
        candidate: Gives the bit widths.
        input_format: Gives the grid of the first layer's inputs.
        parameters: Kernel and bias of every layer.
        inputs: `(n, d)` training rows after the input format.
        current: Steps in force, or None at the start.
    """
    values, grid_bits = inputs, int(input_format.grid_bits.max())
    chosen = []
    reach = 2 ** (candidate.uniform_bits.weights - 1)
    for i, (kernel, bias) in enumerate(parameters):
        before = current[i] if current is not None else None
        weight_bits = best_fraction_bits(
            kernel,
            candidate.uniform_bits.weights,
            signed=True,
            current=_fraction_bits(before.weight) if before else None,
        )
        step = np.float32(2.0**-weight_bits)
        bias_step = 2.0 ** -(weight_bits + grid_bits)  # the grid of the accumulator: adding the bias rounds nothing
        if i == len(parameters) - 1:
            chosen.append(LayerSteps(float(step), bias_step, None))
            break
        sums = values @ (np.clip(np.floor(kernel / step + np.float32(0.5)), -reach, reach - 1) * step) + bias
        bits = candidate.uniform_bits.activations
        in_force = _fraction_bits(before.activation) if before and before.activation else None
        grid_bits = best_fraction_bits(sums, bits, signed=False, current=in_force)
        activation_step = np.float32(2.0**-grid_bits)
        if i < len(parameters) - 2:  # nothing is chosen by what the last hidden layer gives
            values = np.clip(np.floor(sums / activation_step + np.float32(0.5)), 0, 2**bits - 1) * activation_step
        chosen.append(LayerSteps(float(step), bias_step, float(activation_step)))
    return tuple(chosen)


def _fraction_bits(step: float) -> int:
    """Return `f` of the step ``2**-f``."""
    return 1 - int(np.frexp(step)[1])

"""The Keras model of a candidate: dense layers that compute with quantized weights and activations while they train.

Every step is a power of two, rounding is ``floor(x + 1/2)`` after saturation (HGQ2's ``RND`` and ``SAT``), gradients
pass straight through the rounding. The steps are data, not part of the program: calibration between epochs changes them
without a new compilation.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from nas_fpga.space import Candidate
from nas_fpga.training._calibration import LayerSteps


def _quantize(x: keras.KerasTensor, step: keras.Variable, low: float, high: float) -> keras.KerasTensor:
    """Round ``x`` to multiples of ``step`` within ``[low, high]`` steps; the gradient is 1 inside the range, else 0."""
    steps = x / step
    rounded = ops.clip(ops.floor(steps + 0.5), low, high) * step
    inside = ops.cast(ops.logical_and(steps > low - 0.5, steps < high + 0.5), x.dtype)
    # The bracket is exactly zero: the value is the quantized one, the derivative is that of x.
    return ops.stop_gradient(rounded) + (x - ops.stop_gradient(x)) * ops.stop_gradient(inside)


class QuantizedDense(keras.layers.Layer):  # type: ignore[misc]
    """A dense layer with quantized weights; hidden layers end in a ReLU that is an unsigned saturating quantizer.

    Args:
        units: Outputs.
        weight_bits: Bits of a weight, its sign included.
        activation_bits: Bits of an output, or None for raw logits.
    """

    def __init__(self, units: int, weight_bits: int, activation_bits: int | None) -> None:
        """See the class."""
        super().__init__()
        self.units, self.weight_bits, self.activation_bits = units, weight_bits, activation_bits

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create kernel, bias and the three steps."""
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="zeros", name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.weight_step = self.add_weight(shape=(), trainable=False, initializer="ones", name="weight_step")
        self.bias_step = self.add_weight(shape=(), trainable=False, initializer="ones", name="bias_step")
        self.activation_step = self.add_weight(shape=(), trainable=False, initializer="ones", name="activation_step")

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Return the quantized outputs `(batch, units)` for exact inputs `(batch, n_in)`."""
        reach = 2.0 ** (self.weight_bits - 1)
        kernel = _quantize(self.kernel, self.weight_step, -reach, reach - 1)
        bias = _quantize(self.bias, self.bias_step, -np.inf, np.inf)
        x = ops.matmul(x, kernel) + bias
        if self.activation_bits is None:
            return x
        return _quantize(x, self.activation_step, 0.0, 2.0**self.activation_bits - 1)

    def assign_steps(self, steps: LayerSteps) -> None:
        """Set the three steps."""
        self.weight_step.assign(steps.weight)
        self.bias_step.assign(steps.bias)
        if steps.activation is not None:
            self.activation_step.assign(steps.activation)


def build_model(candidate: Candidate, n_inputs: int, n_outputs: int) -> keras.Sequential:
    """Return the untrained Keras model of a candidate, on inputs that went through the input format."""
    bits = candidate.uniform_bits
    hidden = [QuantizedDense(width, bits.weights, bits.activations) for width in candidate.topology]
    return keras.Sequential([keras.Input((n_inputs,)), *hidden, QuantizedDense(n_outputs, bits.weights, None)])


def mean_loss(logits: keras.KerasTensor, labels: keras.KerasTensor, weights: keras.KerasTensor) -> keras.KerasTensor:
    """Return the weighted mean cross entropy of raw logits.

    One logit is a binary task. ``softplus(z) - z y`` has the right gradient at a logit of exactly 0, which quantized
    logits often are; the usual stable form with ``max(z, 0)`` has not.

    Args:
        logits: `(batch, 1)` or `(batch, n_classes)`.
        labels: `(batch,)` integers.
        weights: `(batch,)`.
    """
    if logits.shape[-1] == 1:
        z = logits[:, 0]
        losses = ops.softplus(z) - z * ops.cast(labels, z.dtype)
    else:
        one_hot = ops.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
        losses = ops.logsumexp(logits, axis=-1) - ops.sum(logits * one_hot, axis=-1)
    return ops.mean(losses * weights)

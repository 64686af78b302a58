"""The Keras layer that is trained: several quantized networks side by side.

Every step is a power of two, rounding is ``floor(x + 1/2)`` after saturation (HGQ2's ``RND`` and ``SAT``), gradients
pass straight through the rounding. Bits and steps are data, not part of the program: neither another candidate nor
calibration between epochs compiles anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from nas_fpga.space import BitWidths
from nas_fpga.training._calibration import LayerSteps
from nas_fpga.training._layout import Layout

Keep = Callable[[int, tuple[int, ...]], keras.KerasTensor]
"""Of a hidden layer and the shape of its activations: what they are multiplied by, 0 or 1 / (1 - dropout)."""


def _quantize(x: Any, step: Any, low: Any, high: Any) -> Any:
    """Round ``x`` to multiples of ``step`` within ``[low, high]`` steps; the gradient is 1 inside the range, else 0."""

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def rounded(x: Any) -> Any:
        steps = x / step
        inside = ops.logical_and(steps > low - 0.5, steps < high + 0.5)

        def gradient(*args: Any, upstream: Any = None) -> Any:
            (upstream,) = args if upstream is None else (upstream,)  # JAX gives it by place, TensorFlow by name
            return ops.where(inside, upstream, 0.0)

        return ops.clip(ops.floor(steps + 0.5), low, high) * step, gradient

    return rounded(x)


class PopulationMLP(keras.layers.Layer):  # type: ignore[misc]
    """Several fully connected networks of one shape, each with bits, steps and parameters of its own.

    Hidden layers end in a ReLU that is an unsigned saturating quantizer; the output layer gives raw logits. A narrower
    network is one whose further weights are zero: they get no gradient and stay zero.

    Args:
        layout: Shape, and places in the vectors.
        members: How many networks.
    """

    def __init__(self, layout: Layout, members: int = 1) -> None:
        """See the class."""
        super().__init__()
        self.layout, self.members = layout, members

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the parameters `(members, n)` and, as long as they, what quantizes them."""
        del input_shape  # known from the layout

        def add(name: str, size: int, *, trainable: bool = False) -> keras.Variable:
            initializer = "zeros" if trainable else "ones"
            return self.add_weight(shape=(self.members, size), initializer=initializer, trainable=trainable, name=name)

        layout = self.layout
        self.kernels = add("kernels", layout.n_weights, trainable=True)
        self.biases = add("biases", layout.n_biases, trainable=True)
        self.kernel_steps = add("kernel_steps", layout.n_weights)
        self.kernel_reaches = add("kernel_reaches", layout.n_weights)
        self.bias_steps = add("bias_steps", layout.n_biases)
        self.activation_steps = add("activation_steps", layout.n_hidden)
        self.activation_reaches = add("activation_reaches", layout.n_hidden)

    def call(self, x: keras.KerasTensor, keep: Keep | None = None) -> keras.KerasTensor:
        """Return the logits of all members.

        Args:
            x: Exact inputs `(members, batch, n_in)`; or `(batch, n_in)` where there is one member.
            keep: Dropout.

        Returns:
            `(members, batch, n_out)`, or `(batch, n_out)`.
        """
        alone = len(x.shape) == 2
        h = x[None] if alone else x
        reach = self.kernel_reaches
        kernels = _quantize(self.kernels, self.kernel_steps, -reach, reach - 1.0)
        biases = _quantize(self.biases, self.bias_steps, -np.inf, np.inf)
        layout = self.layout
        # split, not slices: the derivative of slices is a sum of vectors of zeros, and compiles for twice as long
        of_kernels, of_biases = (
            ops.split(vector, [at.stop for at in places[:-1]], axis=1)
            for vector, places in ((kernels, layout.kernels), (biases, layout.biases))
        )
        for i, (kernel, bias, shape, at) in enumerate(
            zip(of_kernels, of_biases, layout.shapes, layout.biases, strict=True)
        ):
            h = _matmul(h, ops.reshape(kernel, (self.members, *shape))) + bias[:, None]
            if i < len(layout.shapes) - 1:
                h = _quantize(h, self.activation_steps[:, None, at], 0.0, self.activation_reaches[:, None, at])
                if keep is not None:
                    h = h * keep(i, h.shape)
        return h[0] if alone else h


def _matmul(x: keras.KerasTensor, kernel: keras.KerasTensor) -> keras.KerasTensor:
    """Return `(members, batch, n_out)`. A batch of one product is slower than the product."""
    return ops.matmul(x[0], kernel[0])[None] if kernel.shape[0] == 1 else ops.matmul(x, kernel)


def quantizers(layout: Layout, bits: BitWidths, steps: Sequence[LayerSteps]) -> list[NDArray[np.float32]]:
    """Return the values of the layer's variables that do not train, each of its length, for one member.

    Args:
        layout: Of the layer.
        bits: Of the candidate.
        steps: Of its layers.
    """
    weights = [at.stop - at.start for at in layout.kernels]
    outputs = [at.stop - at.start for at in layout.biases]
    hidden = [step.activation for step in steps if step.activation is not None]

    def spread(values: Sequence[float], counts: Sequence[int]) -> NDArray[np.float32]:
        return np.repeat(np.asarray(values, np.float32), counts)

    return [
        spread([step.weight for step in steps], weights),
        np.full(layout.n_weights, 2.0 ** (bits.weights - 1), np.float32),
        spread([step.bias for step in steps], outputs),
        spread(hidden, outputs[:-1]),
        np.full(layout.n_hidden, 2.0**bits.activations - 1, np.float32),
    ]


def mean_loss(logits: keras.KerasTensor, labels: keras.KerasTensor, weights: keras.KerasTensor) -> keras.KerasTensor:
    """Return the weighted mean cross entropy of raw logits over the last axis of the labels.

    One logit is a binary task. ``softplus(z) - z y`` has the right gradient at a logit of exactly 0, which quantized
    logits often are; the usual stable form with ``max(z, 0)`` has not.

    Args:
        logits: `(..., batch, 1)` or `(..., batch, n_classes)`.
        labels: `(..., batch)` integers.
        weights: `(..., batch)`.
    """
    if logits.shape[-1] == 1:
        z = logits[..., 0]
        losses = ops.softplus(z) - z * ops.cast(labels, z.dtype)
    else:
        one_hot = ops.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
        losses = ops.logsumexp(logits, axis=-1) - ops.sum(logits * one_hot, axis=-1)
    return ops.mean(losses * weights, axis=-1)

"""Rebuilds a quantized network as an HGQ2 model with frozen quantizers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from hgq.config import QuantizerConfig
from hgq.layers import QDense
from numpy.typing import NDArray

from nas_fpga.training import QuantizedNetwork, trailing_zeros


def _frozen(place: str, axis: tuple[int, ...]) -> QuantizerConfig:
    """Return a quantizer that never moves and saturates; HGQ2's default for data and biases wraps around.

    It has bits of their own along some axes. These are set once its layer is built, see :func:`_set_bits`: given here
    as initializers they would be written into the saved model, which could be loaded only where this package is.
    """
    return QuantizerConfig(
        "kif",
        place,
        k0=1,
        i0=0,
        f0=0,
        round_mode="RND",
        overflow_mode="SAT",
        heterogeneous_axis=axis,
        homogeneous_axis=None,
        trainable=False,
        ic=None,
        fc=None,
        ir=None,
        fr=None,
    )


def _set_bits(quantizer: Any, signed: Any, integer_bits: Any, fraction_bits: Any) -> None:
    """Set sign, integer bits (without the sign) and fraction bits; scalars, or arrays along the quantizer's axis."""
    inner = quantizer.quantizer
    for variable, value in ((inner._k, signed), (inner._i, integer_bits), (inner._f, fraction_bits)):
        variable.assign(np.broadcast_to(np.asarray(value, np.float32), variable.shape).astype(variable.dtype))


def build(network: QuantizedNetwork) -> keras.Model:
    """See :func:`nas_fpga.export.hgq_model`."""
    form = network.input_format
    inputs = values = keras.Input((len(form.signed),), name="features")
    layers = []
    for i, layer in enumerate(network.layers):
        dense = QDense(
            layer.n_out,
            name=f"dense_{i + 1}" if layer.activation_bits is not None else "logits",
            activation=None if layer.activation_bits is None else "relu",
            iq_conf=_frozen("datalane", (1,)),
            kq_conf=_frozen("weight", (0, 1)),
            bq_conf=_frozen("bias", (0,)),
        )
        values = dense(values)
        layers.append(dense)
    model = keras.Model(inputs, values)
    signed = (form.signed & form.used).astype(int)
    arriving: tuple[Any, Any, Any] = (signed, form.bits - signed - form.fraction_bits, form.fraction_bits)
    row_shift = form.scale_log2[:, None]
    for dense, layer in zip(layers, network.layers, strict=True):
        weight_fraction = layer.weight_fraction_bits + row_shift
        _set_bits(dense.iq, *arriving)
        _set_bits(dense.kq, *_least_bits(layer.weights, weight_fraction))
        _set_bits(dense.bq, *_least_bits(layer.bias, layer.bias_fraction_bits))
        dense.kernel.assign((layer.weights * np.exp2(-weight_fraction.astype(np.float64))).astype(np.float32))
        dense.bias.assign((layer.bias * 2.0**-layer.bias_fraction_bits).astype(np.float32))
        row_shift = np.zeros((1, 1), np.int64)
        if layer.activation_bits is not None and layer.activation_fraction_bits is not None:
            fraction = layer.activation_fraction_bits
            arriving = (0, layer.activation_bits - fraction, fraction)
    return model


def _least_bits(integers: NDArray[np.integer], fraction_bits: Any) -> tuple[Any, Any, Any]:
    """Return sign, integer bits and fraction bits of the narrowest format of each number; no bits for 0.

    Args:
        integers: Of any shape.
        fraction_bits: Each stands for ``integer * 2**-fraction_bits``.
    """
    integers = integers.astype(np.int64)
    zeros = trailing_zeros(integers)
    odd = integers >> zeros
    fraction = np.where(odd != 0, fraction_bits - zeros, 0)
    width = np.frexp(np.where(odd < 0, -odd - 1, odd))[1]
    return odd != 0, width - fraction, fraction

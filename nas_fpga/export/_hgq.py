"""Rebuilds a quantized network as an HGQ2 model with frozen quantizers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from hgq.config import QuantizerConfig
from hgq.layers import QDense
from numpy.typing import NDArray

from nas_fpga.training import QuantizedLayer, QuantizedNetwork


class _Given(keras.initializers.Initializer):  # type: ignore[misc]
    """Initializes with given values of a shape that broadcasts to the one asked."""

    def __init__(self, values: NDArray[np.generic] | float) -> None:
        self.values = np.asarray(values, np.float32)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return keras.ops.convert_to_tensor(np.broadcast_to(self.values, shape), dtype=dtype)


def _frozen(place: str, signed: Any, integer_bits: Any, fraction_bits: Any, axis: tuple[int, ...]) -> QuantizerConfig:
    """Return a quantizer that never moves and saturates; HGQ2's default for data and biases wraps around."""
    return QuantizerConfig(
        "kif",
        place,
        k0=_Given(signed),
        i0=_Given(integer_bits),
        f0=_Given(fraction_bits),
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


def build(network: QuantizedNetwork) -> keras.Model:
    """See :func:`nas_fpga.export.hgq_model`."""
    form = network.input_format
    signed = form.signed.astype(int)
    inputs = values = keras.Input((len(form.signed),), name="features")
    input_quantizer = _frozen("datalane", signed, form.bits - signed - form.fraction_bits, form.fraction_bits, (1,))
    row_shift = form.scale_log2[:, None]
    layers = []
    for i, layer in enumerate(network.layers):
        weight_fraction = layer.weight_fraction_bits + row_shift
        dense = QDense(
            layer.n_out,
            name=f"dense_{i + 1}" if layer.activation_bits is not None else "logits",
            activation=None if layer.activation_bits is None else "relu",
            iq_conf=input_quantizer,
            kq_conf=_frozen(
                "weight",
                1,
                network.candidate.bits.weights - 1 - weight_fraction,
                weight_fraction,
                (0,) if i == 0 else (),
            ),
            bq_conf=_bias_quantizer(layer),
        )
        values = dense(values)
        layers.append((dense, layer.weights * np.exp2(-weight_fraction.astype(np.float64))))
        row_shift = np.zeros((1, 1), np.int64)
        if layer.activation_bits is not None and layer.activation_fraction_bits is not None:
            fraction = layer.activation_fraction_bits
            input_quantizer = _frozen("datalane", 0, layer.activation_bits - fraction, fraction, ())
    model = keras.Model(inputs, values)
    for (dense, kernel), layer in zip(layers, network.layers, strict=True):
        dense.kernel.assign(kernel.astype(np.float32))
        dense.bias.assign((layer.bias * 2.0**-layer.bias_fraction_bits).astype(np.float32))
    return model


def _bias_quantizer(layer: QuantizedLayer) -> QuantizerConfig:
    integer_bits = int(np.abs(layer.bias).max()).bit_length() - layer.bias_fraction_bits
    return _frozen("bias", 1, integer_bits, layer.bias_fraction_bits, ())

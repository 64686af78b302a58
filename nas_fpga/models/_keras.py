"""Keras models: float layers, HGQ2's, and those of its module qkeras."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga._quiet import captured
from nas_fpga.errors import InputError
from nas_fpga.models._chain import (
    Approximations,
    Array,
    Dense,
    Output,
    Quantizer,
    Relu,
    Scaling,
    Step,
    activation,
    split_at_layers,
)

_SUPPORTED = (
    "Dense, ReLU, Activation, Softmax, BatchNormalization, Dropout, Identity and Flatten, and HGQ2's QDense, "
    "QBatchNormDense and Quantizer"
)


def load_keras(path: Path) -> Any:
    """See :func:`nas_fpga.models.load_keras`."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    if not path.is_file():
        raise InputError(f"{path} is not there; give a .keras file, or export the project again")
    with captured():
        import hgq.layers  # noqa: F401 - registers its layers
        import keras
        import qkeras  # noqa: F401 - registers its quantizers

        try:
            return keras.models.load_model(path, compile=False)  # in safe mode: nothing in a file is run
        except Exception as error:  # whatever the content provokes in Keras
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"model {path} cannot be loaded ({reason}); save it with model.save('NAME.keras')"
            ) from error


def source_of(model: object) -> str:
    """Return what messages call a Keras model in memory.

    Raises:
        InputError: It is none, or of Keras 2.
    """
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    if not isinstance(model, keras.Model):
        raise InputError(f"model {model!r:.80} is neither a path nor a model of Keras 3; give one of them")
    return f"model {model.name}"


def float_parameters(model: Any, source: object) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """See :func:`nas_fpga.models.float_parameters`."""
    _, layers = split_at_layers(chain_of_keras(model, source), source, Approximations())
    return [(layer.dense.kernel.astype(np.float32), layer.dense.bias.astype(np.float32)) for layer in layers]


def chain_of_keras(model: Any, source: object) -> list[Step]:
    """Return the steps of a Keras model.

    Raises:
        InputError: It is no chain of supported layers from one vector to another.
    """
    try:
        n_inputs, n_outputs = len(model.inputs), len(model.outputs)
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{source} does not say how many inputs it takes; begin it with keras.Input((n,))") from error
    if (n_inputs, n_outputs) != (1, 1):
        raise InputError(f"{source} has {n_inputs} inputs and {n_outputs} outputs; one vector of each is supported")
    chain: list[Step] = []
    before = model.inputs[0]
    is_sequential = type(model).__name__ == "Sequential"  # its layers may remember tensors of an earlier build
    for layer in model.layers:
        kind = type(layer).__name__
        if kind == "InputLayer":
            continue
        read = _READERS.get((type(layer).__module__.partition(".")[0], kind))
        if read is None:
            raise InputError(f"layer {layer.name} ({kind}) of {source} is not supported; supported are {_SUPPORTED}")
        if is_sequential:
            arriving, before = layer.input, layer.output
        else:  # the layer may have been called in other models before
            calls = [node for node in layer._inbound_nodes if any(tensor is before for tensor in node.input_tensors)]
            if not calls:
                raise InputError(f"layer {layer.name} of {source} does not follow the one before it; a chain is needed")
            arriving, before = before, calls[0].output_tensors[0]
        if len(arriving.shape) != 2 and (kind != "Flatten" or chain):
            raise InputError(
                f"layer {layer.name} ({kind}) of {source} takes an array of shape {tuple(arriving.shape[1:])}; only "
                "vectors are supported, or a Flatten in front"
            )
        chain += read(layer, source)
    if not is_sequential and before is not model.outputs[0]:
        raise InputError(f"layer {model.layers[-1].name} of {source} is not its output; a chain is needed")
    return chain


def fixed_format(quantizer: Any, n: int) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Return sign, integer bits without it and fraction bits, `(n,)` each, of an HGQ2 quantizer of vectors."""
    inner = quantizer.quantizer
    signed, integer, fraction = (
        np.broadcast_to(np.asarray(inner.bw_mapper.bw_to_x(bits, (1, n))), (1, n))[0].astype(np.int64)
        for bits in inner.kif
    )
    return signed.astype(np.bool_), integer, fraction


def _dense(layer: Any, source: object) -> list[Step]:
    if mode := getattr(layer, "quantization_mode", None):  # its kernel then holds integers, without their scale
        raise InputError(f"layer {layer.name} of {source} is quantized by Keras ({mode}); give it before quantize()")
    kernel = _numbers(layer.kernel)
    bias = _numbers(layer.bias) if layer.use_bias else np.zeros(kernel.shape[1])
    return [Dense(layer.name, kernel, bias), *_activation(layer, source)]


def _activation(layer: Any, source: object) -> list[Step]:
    return activation(layer.name, getattr(layer.activation, "__name__", str(layer.activation)), source)


def _relu(layer: Any, source: object) -> list[Step]:
    if layer.max_value is not None or layer.negative_slope or layer.threshold:
        raise InputError(f"layer {layer.name} (ReLU) of {source} has a slope, threshold or maximum; give a plain one")
    return [Relu(layer.name)]


def _batch_normalization(layer: Any, source: object) -> list[Step]:
    del source  # it is a vector's
    factor = 1 / np.sqrt(_numbers(layer.moving_variance) + layer.epsilon)
    if layer.scale:
        factor = factor * _numbers(layer.gamma)
    offset = -_numbers(layer.moving_mean) * factor
    return [Scaling(layer.name, factor, offset + _numbers(layer.beta) if layer.center else offset)]


def _nothing(layer: Any, source: object) -> list[Step]:
    del layer, source
    return []


def _softmax(layer: Any, source: object) -> list[Step]:
    del source
    return [Output(layer.name, "softmax")]


def _quantized_dense(layer: Any, source: object) -> list[Step]:
    arriving = _quantizer(layer.iq, layer, source) if layer.enable_iq else []
    kernel = _numbers(layer.qkernel)
    has_bits = _has_bits(layer.kq, layer, source)
    bias, bias_has_bits = np.zeros(kernel.shape[1]), True
    if layer.bias is not None:
        bias, bias_has_bits = _numbers(layer.qbias), _has_bits(layer.bq, layer, source)
    leaving = _quantizer(layer.oq, layer, source, n=kernel.shape[1]) if layer.enable_oq else []
    dense = Dense(layer.name, kernel, bias, has_bits, bias_has_bits)
    return [*arriving, dense, *_activation(layer, source), *leaving]


def _table(layer: Any, source: object) -> list[Step]:
    if (function := layer.activation.__name__) != "sigmoid":
        raise InputError(f"layer {layer.name} of {source} is a table of {function}; only sigmoid is supported")
    return [Output(layer.name, "sigmoid")]


def _quantizer_layer(layer: Any, source: object) -> list[Step]:
    return _quantizer(layer, layer, source)


def _has_bits(quantizer: Any, layer: Any, source: object) -> bool:
    """Return whether a quantizer does anything.

    Raises:
        InputError: It is for floating-point numbers.
    """
    inner = quantizer.quantizer
    if inner.__dummy__:
        return False
    if not hasattr(inner, "overflow_mode"):
        raise InputError(f"layer {layer.name} of {source} has a quantizer of type {quantizer.q_type}; give kif or kbi")
    return True


def _quantizer(quantizer: Any, layer: Any, source: object, n: int | None = None) -> list[Step]:
    """Return the step of a quantizer of `n` values, those that the layer takes unless said."""
    if not _has_bits(quantizer, layer, source):
        return []
    scale, exponent = np.frexp(1.0 if quantizer.scaler is None else quantizer.scaler)
    if scale != 0.5 or quantizer.affine is not None:
        raise InputError(
            f"layer {layer.name} of {source} has a quantizer with a scaler that is no power of two, or an affine one; "
            "fold it into the weights"
        )
    inner = quantizer.quantizer
    signed, integer, fraction = fixed_format(quantizer, layer.input.shape[-1] if n is None else n)
    shift = int(exponent) - 1
    rounding = inner.round_mode.removeprefix("S_")  # stochastic in training only
    return [Quantizer(layer.name, signed, integer + shift, fraction - shift, rounding, inner.overflow_mode)]


def _numbers(tensor: Any) -> Array:
    return np.asarray(tensor, np.float64)


_READERS: dict[tuple[str, str], Callable[[Any, object], list[Step]]] = {
    ("keras", "Activation"): _activation,
    ("keras", "BatchNormalization"): _batch_normalization,
    ("keras", "Dense"): _dense,
    ("keras", "Dropout"): _nothing,
    ("keras", "Flatten"): _nothing,
    ("keras", "Identity"): _nothing,
    ("keras", "ReLU"): _relu,
    ("keras", "Softmax"): _softmax,
    ("hgq", "QBatchNormDense"): _quantized_dense,
    ("hgq", "QDense"): _quantized_dense,
    ("hgq", "QSoftmax"): _softmax,
    ("hgq", "QUnaryFunctionLUT"): _table,
    ("hgq", "Quantizer"): _quantizer_layer,
}

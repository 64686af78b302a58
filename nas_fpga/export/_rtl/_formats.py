"""Reads the fixed-point formats in which a model takes its features from its first quantizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nas_fpga.errors import InputError
from nas_fpga.models import fixed_format

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class FeatureFormat:
    """What the model makes of one raw feature.

    Attributes:
        signed: Whether negative values are kept.
        bits: With the sign; 0 where the model does not see the feature.
        fraction_bits: The step is ``2**-fraction_bits``.
        wraps: Values beyond the range wrap around instead of saturating.
    """

    signed: bool
    bits: int
    fraction_bits: int
    wraps: bool


def input_formats(model: keras.Model) -> tuple[FeatureFormat, ...]:
    """Return the format of every feature.

    Raises:
        InputError: The model does not take one vector of features through one fixed-point quantizer of HGQ2 that rounds
            half up or truncates.
    """
    from hgq.layers.core.base import QLayerBase
    from hgq.quantizer import Quantizer

    if len(model.inputs) != 1 or len(model.inputs[0].shape) != 2:
        shapes = ", ".join(str(tensor.shape) for tensor in model.inputs)
        raise InputError(f"RTL: the model's inputs have shapes {shapes}; one vector of features is supported")
    first = [layer for layer in model.layers if _reads(layer, model.inputs[0])]
    if len(first) != 1:
        raise InputError(f"RTL: {len(first)} layers read the features; put one quantizing HGQ2 layer in front")
    layer = first[0]
    quantizer = layer.iq if isinstance(layer, QLayerBase) and layer.enable_iq else layer
    if not isinstance(quantizer, Quantizer) or not hasattr(quantizer.quantizer, "kif"):
        raise InputError(
            f"RTL: layer {layer.name!r} ({type(layer).__name__}) has no fixed-point input quantizer; "
            "begin the model with an HGQ2 layer that has one"
        )
    if quantizer.scaler is not None or quantizer.affine is not None:
        raise InputError(f"RTL: the input quantizer of layer {layer.name!r} has a scaler; fold it into the features")
    fixed = quantizer.quantizer
    if fixed.round_mode not in ("RND", "TRN"):
        raise InputError(f"RTL: layer {layer.name!r} rounds inputs with {fixed.round_mode}; use RND or TRN")
    columns = fixed_format(quantizer, int(model.inputs[0].shape[1]))
    return tuple(
        FeatureFormat(k, max(k + i + f, 0), f, fixed.overflow_mode == "WRAP")
        for k, i, f in zip(*(column.tolist() for column in columns), strict=True)
    )


def _reads(layer: Any, tensor: Any) -> bool:
    from keras.layers import InputLayer

    return not isinstance(layer, InputLayer) and any(read is tensor for read in _inputs(layer))


def _inputs(layer: Any) -> list[Any]:
    return layer.input if isinstance(layer.input, list) else [layer.input]

"""Models: reads trained models of others as quantized networks. Importing this needs neither Keras nor ONNX."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_fpga.models._read_model import ReadModel

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray


def read_model(
    model: Path | keras.Model, *, bits: int | None = None, input_bits: int | None = None, message: Callable[[str], None]
) -> ReadModel:
    """Read a multi-layer perceptron with ReLU as a quantized network, to know what it costs.

    Raw outputs are read: a sigmoid or softmax at the end is left out. Fixed-point numbers are taken as they are: a
    network with HGQ2's quantizers `RND` and `SAT` gives its logits bit for bit. What a
    :class:`~nas_fpga.training.QuantizedNetwork` does not express, such as values that wrap around, is counted as what
    comes nearest, and told. Accumulators are counted as wide as their sums need.

    Float numbers get bits. The integer bits of weights follow from the largest of a layer. Ranges of activations and
    inputs are not known without data: 6/16 of their bits are before the binary point, hls4ml's `ap_fixed<16,6>`, which
    changes outputs but hardly costs; activations are unsigned, inputs signed.

    Args:
        model: Of Keras 3 (float layers, HGQ2's, or those of its module `qkeras`), in memory or a ``.keras`` or ``.h5``
            file; an ``.onnx`` file (float or QONNX), a checkpoint ``.npz``, the folder of an hls4ml project for Vivado
            or Vitis, or one that ``nas-fpga export`` wrote.
        bits: Of weights and activations that have none of their own, 2 to 16; None for 16.
        input_bits: Of inputs that have none of their own, 2 to 16; None for as many as ``bits``.
        message: Told which bits were chosen and what is approximated, one line each.

    Raises:
        MissingExtraError: The file is ONNX's and the package onnx is not installed.
        InputError: It is neither path nor model, the file is missing, damaged or of another kind, has a layer that is
            not supported, several inputs or branches, or bits are asked of a model that has its own.
    """
    from nas_fpga.models._read import read_model

    return read_model(model, bits=bits, input_bits=input_bits, message=message)


def load_keras(path: Path) -> keras.Model:
    """Load a Keras model, with HGQ2 layers or without, in Keras' safe mode: no code in the file is run.

    Raises:
        InputError: The file is missing, damaged, or has layers that are not known here.
    """
    from nas_fpga.models._keras import load_keras

    return load_keras(path)


def float_parameters(model: keras.Model, source: object) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return kernel `(n_in, n_out)` and bias `(n_out,)` of every dense layer of a float model.

    Batch normalization is folded into them.

    Args:
        model: A chain of dense layers with ReLU that ends in raw outputs, a sigmoid or a softmax.
        source: The file, for what is wrong with it.

    Raises:
        InputError: A layer that is not supported, named.
    """
    from nas_fpga.models._keras import float_parameters

    return float_parameters(model, source)


def fixed_format(quantizer: Any, n: int) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Return sign, integer bits without it, and fraction bits, `(n,)` each, of a fixed-point quantizer of HGQ2.

    Args:
        quantizer: Of vectors.
        n: Their length.
    """
    from nas_fpga.models._keras import fixed_format

    return fixed_format(quantizer, n)


__all__ = ["ReadModel", "fixed_format", "float_parameters", "load_keras", "read_model"]

"""ONNX files, and QONNX ones, whose numbers have bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nas_fpga.errors import InputError, MissingExtraError
from nas_fpga.models._chain import (
    Approximations,
    Array,
    Dense,
    Output,
    Quantizer,
    Relu,
    Scaling,
    Step,
    power_of_two,
)

_SUPPORTED = (
    "Gemm, MatMul, Add, Sub, Mul, Div, BatchNormalization, Relu, Sigmoid, Softmax, Flatten, Reshape, Transpose, "
    "Dropout, Identity, Constant and QONNX's Quant"
)
_ROUNDINGS: dict[str, tuple[str, Callable[[Array], Array]]] = {  # to HGQ2's names
    "ROUND": ("RND_CONV", np.rint),
    "HALF_EVEN": ("RND_CONV", np.rint),
    "HALF_UP": ("RND", lambda values: np.floor(values + 0.5)),
    "FLOOR": ("TRN", np.floor),
    "CEIL": ("CEIL", np.ceil),
    "ROUND_TO_ZERO": ("TRN_ZERO", np.trunc),
}


class _Constant(NamedTuple):
    """Numbers of the graph that no input changes, and whether they are fixed-point ones."""

    values: Array
    has_bits: bool = False


class _Node(NamedTuple):
    """A node, and where it is for messages."""

    name: str
    op: str
    inputs: tuple[_Constant | None, ...]
    attributes: dict[str, Any]
    where: str

    def constant(self, i: int) -> _Constant:
        """Return the `i`-th input, which no input of the graph may change."""
        found = self.inputs[i] if i < len(self.inputs) else None
        if found is None:
            raise InputError(f"input {i + 1} of {self.where} is no constant; only chains of constant layers are read")
        return found


def chain_of_onnx(path: Path, approximated: Approximations) -> list[Step]:
    """Return the steps of an ONNX file.

    Raises:
        MissingExtraError: The package onnx is not there.
        InputError: The file cannot be read, or is no chain of supported nodes from one vector to another.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError(f"reading {path} needs the package onnx: pip install 'nas-fpga[onnx]'") from error
    try:
        graph = onnx.load(path).graph
    except Exception as error:  # whatever the content provokes in the parser
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is no ONNX model ({reason}); export it again") from error
    try:
        return _read(onnx, graph, path, approximated)
    except InputError:
        raise
    except (IndexError, KeyError, ValueError) as error:  # shapes that do not fit, attributes that are not there
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is damaged ({reason}); export it again") from error


def _read(onnx: Any, graph: Any, path: Path, approximated: Approximations) -> list[Step]:
    """Return the steps of a graph."""
    constants = {each.name: _Constant(_numbers(onnx, each)) for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in constants]
    if (len(inputs), len(graph.output)) != (1, 1):
        raise InputError(
            f"{path} has {len(inputs)} inputs and {len(graph.output)} outputs; one vector of each is supported"
        )
    at, is_vector = inputs[0].name, len(inputs[0].type.tensor_type.shape.dim) == 2
    chain: list[Step] = []
    for each in graph.node:
        name = each.name or each.output[0]
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in each.attribute}
        if each.op_type == "Constant":
            attributes["value"] = _numbers(onnx, attributes["value"]) if "value" in attributes else None
        names = list(each.input)
        if each.op_type in ("Add", "Mul") and names[0] in constants:
            names.reverse()
        given = [i for i in names if i]
        arrays = tuple(constants.get(i) for i in names)
        node = _Node(name, each.op_type, arrays, attributes, f"node {name} ({each.op_type}) of {path}")
        if all(i in constants for i in given):
            constants[each.output[0]] = _evaluated(node, approximated)
            continue
        if names[0] != at or sum(i not in constants for i in given) > 1:
            raise InputError(f"{node.where} does not follow the one before it; a chain is needed")
        if node.op in ("Flatten", "Reshape") and not chain:
            is_vector = True
        if not is_vector:
            raise InputError(f"{node.where} takes no vector; only vectors are supported, or a Flatten in front")
        _extend(chain, node, approximated)
        at = each.output[0]
    if at != graph.output[0].name:
        raise InputError(f"output {graph.output[0].name} of {path} is not that of its last node; a chain is needed")
    return chain


def _numbers(onnx: Any, tensor: Any) -> Array:
    return np.asarray(onnx.numpy_helper.to_array(tensor), np.float64)


def _evaluated(node: _Node, approximated: Approximations) -> _Constant:
    """Return what a node makes of constants."""
    match node.op:
        case "Constant" if node.attributes["value"] is not None:
            return _Constant(node.attributes["value"])
        case "Identity":
            return node.constant(0)
        case "Transpose":
            constant = node.constant(0)
            return constant._replace(values=constant.values.transpose(node.attributes.get("perm")))
        case "Quant" | "IntQuant":
            quantizer, scale = _quantizer(node, approximated), _scale(node)
            high = 2 ** int(quantizer.integer_bits[0] + quantizer.fraction_bits[0]) - 1
            low = -high - 1 if quantizer.signed[0] else 0
            if node.attributes.get("narrow", 0):
                low, high = (low + 1, high) if low < 0 else (low, high - 1)
            integers = _rounding(node)[1](np.clip(node.constant(0).values / scale, low, high))
            return _Constant(integers * power_of_two(scale), True)
    raise InputError(f"{node.where} is not supported on constants; fold them when the model is exported")


def _extend(chain: list[Step], node: _Node, approximated: Approximations) -> None:
    """Append the steps of a node."""
    read = _READERS.get(node.op)
    if read is not None:
        chain += read(node)
    elif node.op in ("Quant", "IntQuant"):
        chain.append(_quantizer(node, approximated))
    elif node.op in ("Add", "Sub", "Mul", "Div"):
        _scale_by(chain, node)
    else:
        raise InputError(f"{node.where} is not supported; supported are {_SUPPORTED}")


def _scale_by(chain: list[Step], node: _Node) -> None:
    """Append arithmetic with a constant; the first constant that is added to a layer is its bias."""
    values, has_bits = node.constant(1)
    values = values.ravel()
    last = chain[-1] if chain else None
    if node.op == "Add" and isinstance(last, Dense) and not last.bias.any() and values.size == len(last.bias):
        chain[-1] = Dense(last.name, last.kernel, values, last.has_bits, has_bits)
        return
    match node.op:
        case "Add":
            step = Scaling(node.name, np.ones(1), values)
        case "Sub":
            step = Scaling(node.name, np.ones(1), -values)
        case "Mul":
            step = Scaling(node.name, values, np.zeros(1))
        case _:
            if not values.all():
                raise InputError(f"{node.where} divides by zero; export it again")
            step = Scaling(node.name, 1 / values, np.zeros(1))
    chain.append(step)


def _matmul(node: _Node) -> list[Step]:
    kernel = node.constant(1)
    return [_dense(node, kernel, _Constant(np.zeros(kernel.values.shape[-1]), True))]


def _gemm(node: _Node) -> list[Step]:
    kernel, attributes = node.constant(1), node.attributes
    if attributes.get("transA", 0) or attributes.get("alpha", 1.0) != 1.0 or attributes.get("beta", 1.0) != 1.0:
        raise InputError(f"{node.where} has transA, alpha or beta; export it without")
    if attributes.get("transB", 0):
        kernel = kernel._replace(values=kernel.values.T)
    no_bias = _Constant(np.zeros(kernel.values.shape[-1]), True)
    return [_dense(node, kernel, node.constant(2) if len(node.inputs) > 2 else no_bias)]


def _dense(node: _Node, kernel: _Constant, bias: _Constant) -> Dense:
    if kernel.values.ndim != 2 or bias.values.size not in (1, kernel.values.shape[1]):
        raise InputError(f"{node.where} has weights of shape {kernel.values.shape}; a matrix is supported")
    biases = np.broadcast_to(bias.values.ravel(), kernel.values.shape[1])
    return Dense(node.name, kernel.values, biases, kernel.has_bits, bias.has_bits)


def _batch_normalization(node: _Node) -> list[Step]:
    gamma, beta, mean, variance = (node.constant(i).values for i in range(1, 5))
    factor = gamma / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
    return [Scaling(node.name, factor, beta - mean * factor)]


def _softmax(node: _Node) -> list[Step]:
    if node.attributes.get("axis", -1) not in (-1, 1):
        raise InputError(f"{node.where} is over axis {node.attributes['axis']}; the last one is supported")
    return [Output(node.name, "softmax")]


def _reshape(node: _Node) -> list[Step]:
    shape = node.constant(1).values.tolist()
    if len(shape) != 2 or shape[0] not in (-1, 0, 1):
        raise InputError(f"{node.where} makes an array of shape {shape}; vectors are supported")
    return []


def _flatten(node: _Node) -> list[Step]:
    if node.attributes.get("axis", 1) not in (1, -1):
        raise InputError(f"{node.where} is from axis {node.attributes['axis']} on; 1 is supported")
    return []


def _scale(node: _Node) -> Array:
    scale = node.constant(1).values
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise InputError(f"{node.where} has a scale that is not above 0; train it again")
    return scale


def _quantizer(node: _Node, approximated: Approximations) -> Quantizer:
    """Return the quantizer of a Quant node, with a step that is a power of two."""
    scale, width = _scale(node), node.constant(3).values
    signed, narrow = node.attributes.get("signed", 1), node.attributes.get("narrow", 0)
    if node.constant(2).values.any():
        raise InputError(f"{node.where} has a zero point; quantize symmetrically")
    if width.size != 1 or width.item() % 1 or not 1 + signed <= width.item() <= 32:
        raise InputError(f"{node.where} has {width.ravel().tolist()} bits; supported are {1 + signed} to 32")
    step = power_of_two(scale)
    if (step != scale).any():
        approximated.add("scales are rounded to powers of two", node.name)
    fraction = -np.rint(np.log2(step)).astype(np.int64).ravel()
    overflow = "SAT" if not narrow else "SAT_SYM" if signed else "narrow SAT"
    integer, signs = int(width.item()) - signed - fraction, np.full(len(fraction), bool(signed))
    return Quantizer(node.name, signs, integer, fraction, _rounding(node)[0], overflow)


def _rounding(node: _Node) -> tuple[str, Callable[[Array], Array]]:
    """Return how a Quant node rounds."""
    name = node.attributes.get("rounding_mode", b"ROUND").decode().upper()
    if name not in _ROUNDINGS:
        raise InputError(f"{node.where} rounds with {name}; supported are {', '.join(_ROUNDINGS)}")
    return _ROUNDINGS[name]


def _nothing(node: _Node) -> list[Step]:
    del node
    return []


_READERS: dict[str, Callable[[_Node], list[Step]]] = {
    "BatchNormalization": _batch_normalization,
    "Dropout": _nothing,
    "Flatten": _flatten,
    "Gemm": _gemm,
    "Identity": _nothing,
    "MatMul": _matmul,
    "Relu": lambda node: [Relu(node.name)],
    "Reshape": _reshape,
    "Sigmoid": lambda node: [Output(node.name, "sigmoid")],
    "Softmax": _softmax,
}

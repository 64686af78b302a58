"""What every reader makes of a file: a chain of steps from the inputs to the outputs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Dense:
    """A dense layer.

    Attributes:
        name: Of the layer in its file, as are the names below.
        kernel: `(n_in, n_out)`.
        bias: `(n_out,)`.
        has_bits: Whether the weights are fixed-point numbers, on a power-of-two grid; if not they still need bits.
        bias_has_bits: The same of the bias.
    """

    name: str
    kernel: Array
    bias: Array
    has_bits: bool = False
    bias_has_bits: bool = False


@dataclass(frozen=True, eq=False)
class Scaling:
    """``x * factor + offset``, `(n,)` each: batch normalization."""

    name: str
    factor: Array
    offset: Array


@dataclass(frozen=True)
class Relu:
    """A rectified linear unit."""

    name: str


@dataclass(frozen=True, eq=False)
class Quantizer:
    """A fixed-point format that values are put in.

    Attributes:
        name: Of its layer.
        signed: Whether negative values are kept, `(n,)` or `(1,)` as the next two.
        integer_bits: Without the sign.
        fraction_bits: The step is ``2**-fraction_bits``.
        rounding: By HGQ2's name; `RND` (half up) is what a :class:`~nas_fpga.training.QuantizedNetwork` does.
        overflow: By HGQ2's name; `SAT` is what it does.
    """

    name: str
    signed: NDArray[np.bool_]
    integer_bits: NDArray[np.int64]
    fraction_bits: NDArray[np.int64]
    rounding: str = "RND"
    overflow: str = "SAT"


@dataclass(frozen=True)
class Output:
    """What turns raw outputs into probabilities: no part of a :class:`~nas_fpga.training.QuantizedNetwork`."""

    name: str
    kind: Literal["sigmoid", "softmax"]


Step = Dense | Scaling | Relu | Quantizer | Output


@dataclass(frozen=True)
class DenseWithSteps:
    """A dense layer and the steps between it and the next."""

    dense: Dense
    after: tuple[Relu | Quantizer | Output, ...]


@dataclass
class Approximations:
    """What a network cannot express of a file, each with the layers where: told in one line at the end."""

    layers: dict[str, list[str]] = field(default_factory=dict)

    def add(self, what: str, layer: str) -> None:
        """Take note."""
        names = self.layers.setdefault(what, [])
        if layer not in names:
            names.append(layer)

    def __str__(self) -> str:
        """All of them."""
        return "; ".join(f"{what} ({', '.join(names)})" for what, names in self.layers.items())


def activation(name: str, function: str, source: object) -> list[Step]:
    """Return the steps of an activation function.

    Args:
        name: Of the layer.
        function: Its name in Keras.
        source: The file.

    Raises:
        InputError: It is none of the supported.
    """
    match function:
        case "linear":
            return []
        case "relu":
            return [Relu(name)]
        case "sigmoid" | "softmax":
            return [Output(name, function)]
    raise InputError(
        f"activation '{function}' of layer {name} of {source} is not supported; it must be relu, or at the end linear, "
        "sigmoid or softmax"
    )


def split_at_layers(
    chain: Sequence[Step], source: object, approximated: Approximations
) -> tuple[tuple[Quantizer, ...], tuple[DenseWithSteps, ...]]:
    """Return the quantizers of the inputs, and the dense layers; batch normalizations are folded into these.

    Args:
        chain: As it was read.
        source: The file, for what is wrong with it.
        approximated: Takes note of folding into weights that have bits.

    Raises:
        InputError: It is not at least one hidden layer with ReLU and a linear output layer, or a batch normalization
            is not beside a dense layer.
    """
    steps = _folded(chain, source, approximated)
    places = [i for i, step in enumerate(steps) if isinstance(step, Dense)]
    if len(places) < 2:
        raise InputError(f"{source} has {len(places)} dense layers; at least one hidden layer and an output are needed")
    front = []
    for step in steps[: places[0]]:
        if not isinstance(step, Quantizer):
            raise InputError(f"layer {step.name} of {source} is in front of the first dense layer; take it out")
        front.append(step)
    layers = []
    for i, end in zip(places, [*places[1:], len(steps)], strict=True):
        dense, after = steps[i], steps[i + 1 : end]
        assert isinstance(dense, Dense)
        layer = DenseWithSteps(dense, tuple(s for s in after if isinstance(s, Relu | Quantizer | Output)))
        _check_activation(layer, source, last=end == len(steps))
        layers.append(layer)
    for before, layer in itertools.pairwise(layers):
        n_out, n_in = before.dense.kernel.shape[1], layer.dense.kernel.shape[0]
        if n_out != n_in:
            raise InputError(f"layer {layer.dense.name} of {source} takes {n_in} inputs, the one before gives {n_out}")
    return tuple(front), tuple(layers)


def _check_activation(layer: DenseWithSteps, source: object, *, last: bool) -> None:
    name = layer.dense.name
    outputs = [step for step in layer.after if isinstance(step, Output)]
    rectified = any(
        isinstance(step, Relu) or (isinstance(step, Quantizer) and step.overflow == "SAT" and not step.signed.any())
        for step in layer.after
    )
    if not last and (outputs or not rectified):
        found = outputs[0].kind if outputs else "linear"
        raise InputError(f"activation '{found}' of hidden layer {name} of {source} is not supported; it must be relu")
    if last and any(isinstance(step, Relu) for step in layer.after):
        raise InputError(
            f"activation 'relu' of the output layer {name} of {source} is not supported; it must be linear, sigmoid or "
            "softmax"
        )


def _folded(chain: Sequence[Step], source: object, approximated: Approximations) -> list[Step]:
    """Return the chain without scalings, each in the dense layer before it or, else, in the one after it."""
    steps = list(chain)
    while (at := next((i for i, step in enumerate(steps) if isinstance(step, Scaling)), None)) is not None:
        scaling, before = steps[at], steps[at - 1] if at > 0 else None
        after = steps[at + 1] if at + 1 < len(steps) else None
        assert isinstance(scaling, Scaling)
        if isinstance(before, Dense):
            _check_size(scaling, before.kernel.shape[1], source)
            steps[at - 1 : at + 1] = [_scaled(before, scaling, approximated)]
        elif isinstance(after, Scaling):
            both = Scaling(scaling.name, scaling.factor * after.factor, scaling.offset * after.factor + after.offset)
            steps[at : at + 2] = [both]
        elif isinstance(after, Dense):
            _check_size(scaling, after.kernel.shape[0], source)
            steps[at : at + 2] = [_of_scaled(scaling, after, approximated)]
        else:
            raise InputError(
                f"batch normalization {scaling.name} of {source} is not beside a dense layer; move it next to one, or "
                "fold it into its weights"
            )
    return steps


def _check_size(scaling: Scaling, n: int, source: object) -> None:
    if {scaling.factor.size, scaling.offset.size} - {1, n}:
        raise InputError(f"layer {scaling.name} of {source} scales {scaling.factor.size} values; {n} are there")


def _scaled(dense: Dense, scaling: Scaling, approximated: Approximations) -> Dense:
    """Return a dense layer whose outputs are scaled."""
    factor = _factor(dense, scaling, approximated)
    bias = dense.bias * factor + scaling.offset
    return replace(dense, kernel=dense.kernel * factor, bias=bias, bias_has_bits=False)


def _of_scaled(scaling: Scaling, dense: Dense, approximated: Approximations) -> Dense:
    """Return a dense layer whose inputs are scaled."""
    factor = np.broadcast_to(_factor(dense, scaling, approximated), len(dense.kernel))
    offset = np.broadcast_to(scaling.offset, len(dense.kernel)) @ dense.kernel
    return replace(dense, kernel=dense.kernel * factor[:, None], bias=dense.bias + offset, bias_has_bits=False)


def _factor(dense: Dense, scaling: Scaling, approximated: Approximations) -> Array:
    """Return the factors; of weights that have bits the nearest powers of two, so that they keep them."""
    if not dense.has_bits:
        return scaling.factor
    nearest = power_of_two(scaling.factor)
    if (nearest != scaling.factor).any():
        approximated.add("scales are rounded to powers of two", scaling.name)
    return nearest


def power_of_two(values: Array) -> Array:
    """Return the powers of two nearest to ``values`` by their logarithms, with their signs; 0 stays."""
    exponents = np.rint(np.log2(np.where(values != 0, np.abs(values), 1.0)))
    powers: Array = np.sign(values) * np.exp2(exponents)
    return powers

"""The trained, quantized network: integers and their scales, without any framework."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import InputFormat
from nas_fpga.errors import StudyError
from nas_fpga.space import BitWidths, Candidate, LearnedBits, parse_candidate
from nas_fpga.training._integers import effective_bits, trailing_zeros

_FORMAT = 2  # of checkpoints; 1 had one number of bits for all features, and one for all outputs of a layer
_COARSEST = -256  # fraction bits, below those of any number here
_ROWS_AT_ONCE = 256  # whose activations a core's cache holds


@dataclass(frozen=True, eq=False)
class QuantizedLayer:
    """One dense layer in integers.

    Attributes:
        weights: `(n_in, n_out)` int32; the weight is ``weights * 2**-weight_fraction_bits``. A weight needs the bits of
            its own integer only: those from the highest to the lowest that is set, and its sign.
        weight_fraction_bits: Of the finest weight; may be negative.
        bias: `(n_out,)` int64; the bias is ``bias * 2**-bias_fraction_bits``.
        bias_fraction_bits: On the grid of the accumulator.
        activation_bits: `(n_out,)` int64 bits of the unsigned, saturating outputs after ReLU, 0 where one is always
            zero; None for the output layer (raw logits).
        activation_fraction_bits: `(n_out,)` int64; the step of an output is ``2**-activation_fraction_bits``. None for
            the output layer.
    """

    weights: NDArray[np.int32]
    weight_fraction_bits: int
    bias: NDArray[np.int64]
    bias_fraction_bits: int
    activation_bits: NDArray[np.int64] | None
    activation_fraction_bits: NDArray[np.int64] | None

    @property
    def n_in(self) -> int:
        """Inputs."""
        return int(self.weights.shape[0])

    @property
    def n_out(self) -> int:
        """Outputs."""
        return int(self.weights.shape[1])

    def ends_of_sums(
        self, low: NDArray[np.floating], high: NDArray[np.floating]
    ) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Return the least and the largest sums `(n_out,)` of inputs that lie between these ends `(n_in,)`."""
        weights = np.ldexp(self.weights.astype(np.float64), -self.weight_fraction_bits)
        bias = np.ldexp(self.bias.astype(np.float64), -self.bias_fraction_bits)
        rising, falling = np.maximum(weights, 0), np.minimum(weights, 0)
        return bias + low @ rising + high @ falling, bias + high @ rising + low @ falling

    def grid_of_sums(self, grid: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the fraction bits that the sums need `(n_out,)`, of inputs that need ``grid`` `(n_in,)`."""
        of_products = grid[:, None] + self.weight_fraction_bits - trailing_zeros(self.weights)
        finest = of_products.max(axis=0, where=self.weights != 0, initial=_COARSEST)
        of_bias = np.where(self.bias != 0, self.bias_fraction_bits - trailing_zeros(self.bias), _COARSEST)
        fraction: NDArray[np.int64] = np.maximum(finest, of_bias)
        return fraction

    def activate(self, sums: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the outputs `(n, n_out)` for sums `(n, n_out)`, rounded with ``floor(x + 1/2)`` and saturated."""
        if self.activation_bits is None or self.activation_fraction_bits is None:
            return sums
        one = sums.dtype.type(1)
        values = sums * np.ldexp(one, self.activation_fraction_bits)
        values += sums.dtype.type(0.5)
        np.floor(values, out=values)
        np.clip(values, 0, (2**self.activation_bits - 1).astype(sums.dtype), out=values)
        values *= np.ldexp(one, -self.activation_fraction_bits)
        return values


@dataclass(frozen=True, eq=False)
class QuantizedNetwork:
    """A trained network with its input format: immutable, and all that export and hardware cost need.

    Attributes:
        candidate: What was trained.
        input_format: In front of the first layer.
        layers: Hidden layers and the output layer; fewer or narrower than the candidate's where they were pruned.
    """

    candidate: Candidate
    input_format: InputFormat
    layers: tuple[QuantizedLayer, ...]

    def logits(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return raw outputs `(n, n_outputs)` for raw features `(n, d)`, computed exactly.

        Rounding is ``floor(x + 1/2)`` after saturation, HGQ2's ``RND`` and ``SAT``. Exact as long as no accumulator
        needs more than 53 bits, see :meth:`accumulator_bits`.
        """
        return self.logits_of_inputs(self.input_format.apply(features))

    def logits_of_inputs(self, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the same for features `(n, d)` that went through the input format already."""
        # Sums of at most 24 bits are exact in float32 too, at half the cost.
        dtype = np.float32 if max(self.accumulator_bits()) <= 24 else np.float64
        parameters: list[tuple[NDArray[np.floating], NDArray[np.floating]]] = [
            (
                (layer.weights * 2.0**-layer.weight_fraction_bits).astype(dtype),
                (layer.bias * 2.0**-layer.bias_fraction_bits).astype(dtype),
            )
            for layer in self.layers
        ]
        logits = np.empty((len(inputs), self.layers[-1].n_out))
        for first in range(0, len(inputs), _ROWS_AT_ONCE):
            values: NDArray[np.floating] = inputs[first : first + _ROWS_AT_ONCE].astype(dtype)
            for layer, (kernel, bias) in zip(self.layers, parameters, strict=True):
                values = layer.activate(values @ kernel + bias)
            logits[first : first + _ROWS_AT_ONCE] = values
        return logits

    @property
    def topology(self) -> tuple[int, ...]:
        """Widths of its hidden layers: the candidate's, unless neurons were pruned."""
        return tuple(layer.n_out for layer in self.layers[:-1])

    @property
    def ebops(self) -> int:
        """Effective bit operations: a proxy of its LUTs that costs nothing.

        A product counts the bits of the input times those of the weight from the highest to the lowest that is set, a
        bias its own (Sun et al., arXiv:2405.00645, section III.B).
        """
        total, arriving = 0, self.input_format.bits
        for layer in self.layers:
            products = arriving @ effective_bits(layer.weights).sum(axis=1)
            total += int(products) + int(effective_bits(layer.bias).sum())
            if layer.activation_bits is not None:
                arriving = layer.activation_bits
        return total

    def pruned(self) -> QuantizedNetwork:
        """Return a network that computes the same, bit for bit, without all that cannot matter.

        Inputs without weights get 0 bits: they are not read. A neuron that gives the same for all that can arrive,
        since it has no incoming weights, no bits, or always saturates, is a constant, which goes into the biases of the
        next layer; one without outgoing weights is dropped. If no output depends on an input then, every hidden layer
        keeps one neuron, which gives zeros: a network has its layers.
        """
        form = self.input_format
        layers, grid = [], form.grid_bits
        low, high = form.ends
        for layer in self.layers:
            layer = _folded(layer, high > low, np.ldexp(low, grid).astype(np.int64), grid)
            layers.append(layer)
            if layer.activation_bits is not None and layer.activation_fraction_bits is not None:
                low, high = (layer.activate(sums) for sums in layer.ends_of_sums(low, high))
                grid = layer.activation_fraction_bits
        if not layers[-1].weights.any():
            return _constant(self, layers[-1])
        kept: NDArray[np.bool_] = np.ones(layers[-1].n_out, np.bool_)
        for i, layer in reversed(list(enumerate(layers))):
            reads: NDArray[np.bool_] = np.any(layer.weights[:, kept], axis=1)
            layers[i] = _selected(layer, reads if i > 0 else np.ones_like(reads), kept)
            kept = reads
        return replace(self, input_format=replace(form, bits=np.where(kept, form.bits, 0)), layers=tuple(layers))

    def accumulator_bits(self) -> tuple[int, ...]:
        """Return the worst-case bits, sign included, of each layer's widest sum, on the finest grid that it needs.

        At most 24 make float32 sums exact too.
        """
        bits = []
        form = self.input_format
        reach, grid = np.maximum(-form.lowest, form.highest), form.grid_bits
        for layer in self.layers:
            integers = np.vstack([layer.weights, layer.bias])  # the bias is the weight of a 1
            grids = np.append(grid + layer.weight_fraction_bits, layer.bias_fraction_bits)[:, None]
            terms = np.abs(integers) * np.append(reach, 1)[:, None]
            finest = (grids - trailing_zeros(integers)).max(axis=0, where=terms > 0, initial=_COARSEST)
            sums = np.ldexp(terms.astype(np.float64), finest - grids).sum(axis=0)
            bits.append(int(sums.max()).bit_length() + 1)
            if layer.activation_bits is not None and layer.activation_fraction_bits is not None:
                reach, grid = 2**layer.activation_bits - 1, layer.activation_fraction_bits
        return tuple(bits)

    def save(self, path: Path) -> None:
        """Write the network to ``path`` (npz), in one step: the file is whole or absent."""
        form = self.input_format
        arrays: dict[str, NDArray[np.generic]] = {
            "input_bits": form.bits,
            "signed": form.signed,
            "fraction_bits": form.fraction_bits,
            "scale_log2": form.scale_log2,
        }
        for i, layer in enumerate(self.layers):
            arrays[f"weights_{i}"], arrays[f"bias_{i}"] = layer.weights, layer.bias
            if layer.activation_bits is not None and layer.activation_fraction_bits is not None:
                arrays[f"activation_bits_{i}"] = layer.activation_bits
                arrays[f"activation_fraction_bits_{i}"] = layer.activation_fraction_bits
        header = {
            "format": _FORMAT,
            "topology": self.candidate.topology,
            "bits": asdict(self.candidate.bits),
            "layers": [
                {"weight_fraction_bits": layer.weight_fraction_bits, "bias_fraction_bits": layer.bias_fraction_bits}
                for layer in self.layers
            ],
        }
        temporary = path.with_suffix(".tmp")
        try:
            with temporary.open("wb") as file:
                np.savez_compressed(file, header=np.array(json.dumps(header)), **arrays)  # type: ignore[arg-type]
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)  # only there if writing failed, on a full disk say

    @classmethod
    def load(cls, path: Path | str) -> QuantizedNetwork:
        """Read a network written by :meth:`save`.

        Raises:
            StudyError: The file is missing, truncated or of another kind.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                header = json.loads(str(data["header"]))
                if header["format"] not in (1, _FORMAT):
                    raise ValueError(f"format {header['format']}, this version reads up to {_FORMAT}")
                return _of_scalars(header, data) if header["format"] == 1 else _of_arrays(header, data)
        except FileNotFoundError as error:
            raise StudyError(f"checkpoint {path} is gone; bring it back, or start another study") from error
        except Exception as error:  # the parser lets through whatever damaged bytes provoke in it
            reason = " ".join(str(error).split())
            raise StudyError(
                f"checkpoint {path} cannot be read ({reason}); bring it back, or start another study"
            ) from error


def _of_arrays(header: dict[str, Any], data: Mapping[str, NDArray[Any]]) -> QuantizedNetwork:
    """Return the network of a checkpoint."""
    bits = BitWidths(**header["bits"]) if header["bits"] else LearnedBits()
    hidden = range(len(header["layers"]) - 1)
    layers = tuple(
        QuantizedLayer(
            weights=data[f"weights_{i}"],
            bias=data[f"bias_{i}"],
            activation_bits=data[f"activation_bits_{i}"] if i in hidden else None,
            activation_fraction_bits=data[f"activation_fraction_bits_{i}"] if i in hidden else None,
            **layer,
        )
        for i, layer in enumerate(header["layers"])
    )
    form = InputFormat(data["input_bits"], data["signed"], data["fraction_bits"], data["scale_log2"])
    return QuantizedNetwork(Candidate(tuple(header["topology"]), bits), form, layers)


def _of_scalars(header: dict[str, Any], data: Mapping[str, NDArray[Any]]) -> QuantizedNetwork:
    """Return the network of a checkpoint of format 1."""
    layers = []
    for i, layer in enumerate(header["layers"]):
        weights = data[f"weights_{i}"]
        of_outputs = {
            name: None if layer[name] is None else np.full(weights.shape[1], layer[name], np.int64)
            for name in ("activation_bits", "activation_fraction_bits")
        }
        layers.append(QuantizedLayer(weights=weights, bias=data[f"bias_{i}"], **(layer | of_outputs)))
    signed = data["signed"]
    bits = np.full(len(signed), header["input_bits"], np.int64)
    form = InputFormat(bits, signed, data["fraction_bits"], data["scale_log2"])
    return QuantizedNetwork(parse_candidate(header["candidate"], BitWidths(0, 0)), form, tuple(layers))


def _folded(
    layer: QuantizedLayer, varies: NDArray[np.bool_], constants: NDArray[np.int64], grid: NDArray[np.int64]
) -> QuantizedLayer:
    """Return a layer whose constant inputs are in its biases, whose grid gets as fine as that needs.

    Args:
        layer: Any.
        varies: `(n_in,)` inputs that are no constants.
        constants: `(n_in,)` integers of the others.
        grid: `(n_in,)` their fraction bits.
    """
    products = layer.weights * np.where(varies, 0, constants)[:, None]
    zeros = trailing_zeros(products)
    fractions = grid[:, None] + layer.weight_fraction_bits - zeros
    finest = int(fractions.max(initial=layer.bias_fraction_bits, where=products != 0))
    shifts = np.where(products != 0, finest - fractions, 0)
    bias = (layer.bias << (finest - layer.bias_fraction_bits)) + ((products >> zeros) << shifts).sum(axis=0)
    weights = np.where(varies[:, None], layer.weights, np.int32(0))
    return replace(layer, weights=weights, bias=bias, bias_fraction_bits=finest)


def _selected(layer: QuantizedLayer, inputs: NDArray[np.bool_], outputs: NDArray[np.bool_]) -> QuantizedLayer:
    """Return a layer with some of its inputs and outputs, on the grid of the finest weight that is left."""
    weights = layer.weights[np.ix_(inputs, outputs)]
    coarser = int(trailing_zeros(weights).min(where=weights != 0, initial=31))
    bits, fraction_bits = layer.activation_bits, layer.activation_fraction_bits
    return replace(
        layer,
        weights=weights >> coarser,
        weight_fraction_bits=layer.weight_fraction_bits - coarser,
        bias=layer.bias[outputs],
        activation_bits=None if bits is None else bits[outputs],
        activation_fraction_bits=None if fraction_bits is None else fraction_bits[outputs],
    )


def _constant(network: QuantizedNetwork, output: QuantizedLayer) -> QuantizedNetwork:
    """Return the network whose outputs are the biases of ``output``, with one neuron a layer that gives zeros."""
    form = network.input_format
    widths = [len(form.bits), *(1 for _ in network.topology)]
    one, zero = np.ones(1, np.int64), np.zeros(1, np.int64)
    hidden = (QuantizedLayer(np.zeros((n_in, 1), np.int32), 0, zero, 0, one, zero) for n_in in widths[:-1])
    output = replace(output, weights=np.zeros((widths[-1], output.n_out), np.int32))
    return replace(network, input_format=replace(form, bits=np.zeros_like(form.bits)), layers=(*hidden, output))

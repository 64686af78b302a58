"""The trained, quantized network: integers and their scales, without any framework."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import InputFormat
from nas_fpga.errors import StudyError
from nas_fpga.space import BitWidths, Candidate, parse_candidate

_FORMAT = 1  # of checkpoints


@dataclass(frozen=True, eq=False)
class QuantizedLayer:
    """One dense layer in integers.

    Attributes:
        weights: `(n_in, n_out)` int32; the weight is ``weights * 2**-weight_fraction_bits``.
        weight_fraction_bits: May be negative.
        bias: `(n_out,)` int64; the bias is ``bias * 2**-bias_fraction_bits``.
        bias_fraction_bits: On the grid of the accumulator.
        activation_bits: Bits of the unsigned, saturating output after ReLU; None for the output layer (raw logits).
        activation_fraction_bits: The step of the output is ``2**-activation_fraction_bits``; None for the output layer.
    """

    weights: NDArray[np.int32]
    weight_fraction_bits: int
    bias: NDArray[np.int64]
    bias_fraction_bits: int
    activation_bits: int | None
    activation_fraction_bits: int | None

    @property
    def n_in(self) -> int:
        """Inputs."""
        return int(self.weights.shape[0])

    @property
    def n_out(self) -> int:
        """Outputs."""
        return int(self.weights.shape[1])


@dataclass(frozen=True, eq=False)
class QuantizedNetwork:
    """A trained network with its input format: immutable, and all that export and hardware cost need.

    Attributes:
        candidate: What was trained.
        input_format: In front of the first layer.
        layers: Hidden layers and the output layer.
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
        values = inputs.astype(dtype)
        for layer in self.layers:
            values = values @ (layer.weights * 2.0**-layer.weight_fraction_bits).astype(dtype)
            values += (layer.bias * 2.0**-layer.bias_fraction_bits).astype(dtype)
            if layer.activation_bits is not None and layer.activation_fraction_bits is not None:
                values *= dtype(2.0**layer.activation_fraction_bits)
                values += dtype(0.5)
                np.floor(values, out=values)
                np.clip(values, 0, 2**layer.activation_bits - 1, out=values)
                values *= dtype(2.0**-layer.activation_fraction_bits)
        return values.astype(np.float64)

    def accumulator_bits(self) -> tuple[int, ...]:
        """Return the worst-case bits, sign included, of each layer's sums. At most 24 make float32 sums exact too."""
        bits = []
        largest = np.where(self.input_format.signed, 2 ** (self.input_format.bits - 1), 2**self.input_format.bits - 1)
        grid = self.input_format.grid_bits
        for layer in self.layers:
            finest = max(int(grid.max()) + layer.weight_fraction_bits, layer.bias_fraction_bits)
            steps = np.exp2((finest - layer.weight_fraction_bits - grid).astype(np.float64))
            reach = (np.abs(layer.weights).T * (largest * steps)).sum(axis=1)
            reach = reach + np.abs(layer.bias) * 2.0 ** (finest - layer.bias_fraction_bits)
            bits.append(int(reach.max()).bit_length() + 1)
            if layer.activation_bits is not None and layer.activation_fraction_bits is not None:
                largest = np.full(layer.n_out, 2**layer.activation_bits - 1)
                grid = np.full(layer.n_out, layer.activation_fraction_bits)
        return tuple(bits)

    def save(self, path: Path) -> None:
        """Write the network to ``path`` (npz), in one step: the file is whole or absent."""
        arrays: dict[str, NDArray[np.generic]] = {
            "signed": self.input_format.signed,
            "fraction_bits": self.input_format.fraction_bits,
            "scale_log2": self.input_format.scale_log2,
        }
        layers = []
        for i, layer in enumerate(self.layers):
            arrays[f"weights_{i}"], arrays[f"bias_{i}"] = layer.weights, layer.bias
            layers.append(
                {
                    "weight_fraction_bits": layer.weight_fraction_bits,
                    "bias_fraction_bits": layer.bias_fraction_bits,
                    "activation_bits": layer.activation_bits,
                    "activation_fraction_bits": layer.activation_fraction_bits,
                }
            )
        header = {
            "format": _FORMAT,
            "candidate": str(self.candidate),
            "input_bits": self.input_format.bits,
            "layers": layers,
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
                if header["format"] != _FORMAT:
                    raise ValueError(f"format {header['format']}, this version reads {_FORMAT}")
                candidate = parse_candidate(header["candidate"], BitWidths(0, 0))
                input_format = InputFormat(
                    header["input_bits"], data["signed"], data["fraction_bits"], data["scale_log2"]
                )
                layers = tuple(
                    QuantizedLayer(weights=data[f"weights_{i}"], bias=data[f"bias_{i}"], **layer)
                    for i, layer in enumerate(header["layers"])
                )
        except FileNotFoundError as error:
            raise StudyError(f"checkpoint {path} is gone; train the trial again") from error
        except Exception as error:  # the parser lets through whatever damaged bytes provoke in it
            reason = " ".join(str(error).split())
            raise StudyError(f"checkpoint {path} cannot be read ({reason}); train the trial again") from error
        return cls(candidate, input_format, layers)

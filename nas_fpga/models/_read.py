"""Finds out what a path is and reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from nas_fpga.errors import InputError
from nas_fpga.hardware import Mapping, Strategy
from nas_fpga.models._chain import Approximations, Step
from nas_fpga.models._keras import chain_of_keras, load_keras, source_of
from nas_fpga.models._network import network_of
from nas_fpga.models._read_model import ReadModel
from nas_fpga.training import QuantizedNetwork

if TYPE_CHECKING:
    import keras

_KNOWN = "a .keras, .h5, .onnx or .npz file, or the folder of an hls4ml project or of nas-fpga export"


def read_model(
    model: Path | keras.Model, *, bits: int | None, input_bits: int | None, message: Callable[[str], None]
) -> ReadModel:
    """See :func:`nas_fpga.models.read_model`."""
    if isinstance(model, Path):
        return _read_path(model, bits=bits, input_bits=input_bits, message=message)
    source = source_of(model)
    chain = chain_of_keras(model, source)
    return _network_of(chain, source, None, Approximations(), bits=bits, input_bits=input_bits, message=message)


def _read_path(path: Path, *, bits: int | None, input_bits: int | None, message: Callable[[str], None]) -> ReadModel:
    if not path.exists():
        raise InputError(f"{path} is not there; give {_KNOWN}")
    approximated = Approximations()
    if path.is_dir():
        if (path / "design.json").is_file():
            return _exported(path, bits, input_bits, message)
        if not (path / "firmware").is_dir():
            raise InputError(f"{path} has no folder firmware; give {_KNOWN}")
        from nas_fpga.models._hls4ml import chain_of_project

        chain, mapping = chain_of_project(path, approximated)
    else:
        mapping = None
        if path.suffix == ".npz":
            for option, given in (("--bits", bits), ("--input-bits", input_bits)):
                if given is not None:
                    raise InputError(f"{option} {given} is for numbers without bits; {path} has its own, leave it out")
            return ReadModel(QuantizedNetwork.load(path), None)
        chain = _chain(path, approximated)
    return _network_of(chain, path, mapping, approximated, bits=bits, input_bits=input_bits, message=message)


def _network_of(
    chain: list[Step],
    source: object,
    mapping: Mapping | None,
    approximated: Approximations,
    *,
    bits: int | None,
    input_bits: int | None,
    message: Callable[[str], None],
) -> ReadModel:
    network = network_of(chain, source, bits=bits, input_bits=input_bits, approximated=approximated, message=message)
    if approximated.layers:
        message(f"{source} is approximated: {approximated}")
    return ReadModel(network, mapping)


def _chain(path: Path, approximated: Approximations) -> list[Step]:
    match path.suffix:
        case ".keras" | ".h5" | ".hdf5":
            return chain_of_keras(load_keras(path), path)
        case ".onnx":
            from nas_fpga.models._onnx import chain_of_onnx

            return chain_of_onnx(path, approximated)
    raise InputError(f"{path} is of no known kind; give {_KNOWN}")


def _exported(folder: Path, bits: int | None, input_bits: int | None, message: Callable[[str], None]) -> ReadModel:
    """Read a project of ours: the network or the model in it, and its mapping."""
    name = "network.npz" if (folder / "network.npz").is_file() else "model.keras"
    found = read_model(folder / name, bits=bits, input_bits=input_bits, message=message)
    try:
        record: dict[str, Any] = json.loads((folder / "design.json").read_text())["mapping"]
        strategy: Strategy = record["strategy"]
        mapping = Mapping(strategy, tuple(int(factor) for factor in record["reuse_factors"]))
        if strategy not in get_args(Strategy) or len(mapping.reuse_factors) != len(found.network.layers):
            raise ValueError(f"mapping {mapping}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / 'design.json'} is damaged ({error}); export the project again") from error
    return ReadModel(found.network, mapping)

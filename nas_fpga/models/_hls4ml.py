"""Project folders of hls4ml, as its Vivado and Vitis backends write them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nas_fpga.errors import InputError
from nas_fpga.hardware import Mapping, Strategy
from nas_fpga.models._chain import Approximations, Array, Dense, Quantizer, Step, activation

_BACKENDS = ("Vivado", "VivadoAccelerator", "Vitis")
_TYPE = r"ap_u?(?:fixed|int)<[^<>]+>"
_TYPEDEF = re.compile(rf"^typedef\s+(?:nnet::array<\s*)?({_TYPE})[^;]*?\s(\w+);", re.MULTILINE)
_CONFIG = re.compile(r"^struct (\w+) : nnet::dense_config {(.*?)^};", re.MULTILINE | re.DOTALL)
_MEMBER = re.compile(
    r"^\s*(?:static const unsigned (\w+) = ([\w:]+)|typedef (\w+) (\w+)|using (\w+) = nnet::product::(\w+))",
    re.MULTILINE,
)
_DEFINE = re.compile(r"^#define (\w+) (\d+)\s*$", re.MULTILINE)
_NUMBERS = re.compile(r"= {([^{}]*)}")
_CALL = re.compile(r"^\s*\w+::(\w+)<(.*)>\((.*)\);\s*(?://\s*(\S+))?", re.MULTILINE)
_PORT = re.compile(r"(?:hls::stream<)?(?P<type>\w+)[>\s&]+(?P<name>\w+)")
_STRATEGIES: dict[str, Strategy] = {"nnet::latency": "latency", "nnet::resource": "resource"}
_GENERATED = Path("firmware") / "nnet_utils" / "nnet_code_gen.h"
_CASTS = ("linear", "repack_stream")
# One value's format in the code of a quantizer: hls4ml's, and that of our exports behind which the point is moved.
_VALUE = re.compile(rf"out\[(\d+)\] = (?:(0);|({_TYPE})\(inp)|({_TYPE}) moved_(\d+);")


class _Type(NamedTuple):
    """A fixed-point type of C++; integer bits without the sign."""

    signed: bool
    integer_bits: int
    fraction_bits: int
    rounding: str
    overflow: str

    def rounded(self, values: Array) -> Array:
        """Return constants as the type holds them."""
        reach = 2.0 ** (self.integer_bits + self.fraction_bits)
        steps = np.floor(np.ldexp(values, self.fraction_bits) + (0.0 if self.rounding == "TRN" else 0.5))
        low = -reach if self.signed else 0.0
        steps = (steps - low) % (reach - low) + low if self.overflow == "WRAP" else np.clip(steps, low, reach - 1)
        return np.ldexp(steps, -self.fraction_bits)


class _Layer(NamedTuple):
    """The configuration of a dense layer: numbers, words, and the types of its weights by their role."""

    members: dict[str, str]
    defined: dict[str, str]

    def number(self, name: str) -> int:
        """Return a number; old versions of hls4ml give some of them names."""
        text = self.members[name]
        return int(self.defined.get(text, text))


class _Sources(NamedTuple):
    """What is read of the C++ of a project."""

    folder: Path
    types: dict[str, _Type]
    layers: dict[str, _Layer]
    head: str
    body: str


def chain_of_project(folder: Path, approximated: Approximations) -> tuple[list[Step], Mapping | None]:
    """Return the steps of a project, and its mapping where all layers have one strategy that is known.

    Raises:
        InputError: The folder is no such project, lacks a file, or is no chain of dense layers.
    """
    try:
        return _read(_sources(folder), approximated)
    except InputError:
        raise
    except (KeyError, ValueError, IndexError) as error:  # whatever text is not as hls4ml writes it
        raise InputError(f"{folder} is not as hls4ml writes it ({error}); convert the model again") from error


def _sources(folder: Path) -> _Sources:
    firmware = folder / "firmware"
    _check_backend(folder)
    defines, parameters = _text(firmware / "defines.h"), _text(firmware / "parameters.h")
    files = [file for file in sorted(firmware.glob("*.cpp")) if not file.stem.endswith("_axi")]  # VivadoAccelerator's
    if len(files) != 1:
        raise InputError(f"{firmware} has {len(files)} .cpp files; hls4ml writes one, convert the model again")
    head, _, body = _text(files[0]).partition("// hls-fpga-machine-learning insert layers")
    types = {name: _type(text) for text, name in _TYPEDEF.findall(defines)}
    defined = dict(_DEFINE.findall(defines))
    layers = {
        name: _Layer(dict(_pair(found) for found in _MEMBER.findall(members)), defined)
        for name, members in _CONFIG.findall(parameters)
    }
    return _Sources(folder, types, layers, head, body)


def _read(sources: _Sources, approximated: Approximations) -> tuple[list[Step], Mapping | None]:
    """Return what the main function of a project says."""
    folder = sources.folder
    at, port = _input(sources)
    chain: list[Step] = [_quantizer("input port", [sources.types[port]])]
    layers: list[tuple[str, _Layer]] = []
    for function, template, call, comment in _CALL.findall(sources.body):
        if function == "save_layer_output":
            continue
        values = [text.strip() for text in call.split(",")]
        types = [text.strip() for text in template.split(",")]
        name = comment or function
        if function == "thresholded_relu" and float(values[1]) == 0:  # what a Keras layer ReLU becomes
            function, values, types = "relu", [values[0], *values[2:]], [types[0], *types[2:]]
        if values[0] != at:
            raise InputError(f"layer {name} of {folder} does not follow the one before it; a chain is needed")
        at = values[1]
        formats = _value_formats(folder, function)
        if formats is not None:
            if len(chain) == 1:
                chain.clear()  # the port is only as wide as raw values need
            chain.append(_quantizer(name, formats))
            continue
        if function == "dense":
            layer = sources.layers[types[2]]
            layers.append((name, layer))
            chain.append(_dense(name, layer, values[2:4], sources, approximated))
        elif function not in _CASTS:
            chain += _activation(name, function, folder)
        chain.append(_quantizer(name, [sources.types[types[1]]]))
    return chain, _mapping(layers, approximated)


def _check_backend(folder: Path) -> None:
    config = folder / "hls4ml_config.yml"
    found = re.search(r"^Backend: '?(\w+)", _text(config), re.MULTILINE) if config.is_file() else None
    if found is not None and found[1] not in _BACKENDS:
        raise InputError(f"{folder} is for {found[1]}; projects for {', '.join(_BACKENDS)} can be read")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give the folder of an hls4ml project") from error


def _type(text: str) -> _Type:
    name, _, rest = text.rstrip("> ").partition("<")
    signed = not name.startswith("ap_u")
    width, *more = [part.strip() for part in rest.split(",")]
    bits = int(width) - signed
    integer = int(more[0]) - signed if name.endswith("fixed") else bits
    rounding, overflow = (part.removeprefix("AP_") for part in (more[1:3] if len(more) > 2 else ("TRN", "WRAP")))
    return _Type(signed, integer, bits - integer, rounding, overflow)


def _pair(found: tuple[str, ...]) -> tuple[str, str]:
    """Return name and value of a member of a configuration: a number, or a type and what it is for."""
    number, value, type_name, role, template, product = found
    return (number, value) if number else (role, type_name) if role else (template, product)


def _input(sources: _Sources) -> tuple[str, str]:
    """Return the name and the type of the only input of the main function."""
    declared = sources.head.rpartition("void ")[2].partition("(")[2].partition(") {")[0]
    ports = [_PORT.match(text.strip()) for text in declared.split(",")]
    if len(ports) != 2 or ports[0] is None:
        raise InputError(
            f"the main function of {sources.folder} has {len(ports)} ports; one input and one output are supported"
        )
    return ports[0]["name"], ports[0]["type"]


def _quantizer(name: str, types: list[_Type]) -> Quantizer:
    """Return the quantizer of values that have one type each, or one for all; all round alike."""
    live = [each for each in types if each.signed + each.integer_bits + each.fraction_bits > 0] or types
    return Quantizer(
        name,
        np.array([each.signed for each in types]),
        np.array([each.integer_bits for each in types], np.int64),
        np.array([each.fraction_bits for each in types], np.int64),
        live[0].rounding,
        live[0].overflow,
    )


def _value_formats(folder: Path, function: str) -> list[_Type] | None:
    """Return the types that a generated quantizer gives its values; None if the function is none."""
    generated = folder / _GENERATED
    code = _text(generated) if generated.is_file() else ""
    _, found, rest = code.partition(f"void {function}(input_t *inp, output_t *out) {{")
    if not found:
        return None
    types: dict[int, _Type] = {}
    for i, zero, text, moved, j in _VALUE.findall(rest.partition("\n}")[0]):
        if moved:
            types[int(j)] = _type(moved)._replace(rounding="RND", overflow="SAT")
        else:
            types[int(i)] = _type("ap_uint<0>" if zero else text)
    return [types[i] for i in range(len(types))]


def _dense(name: str, layer: _Layer, weights: list[str], sources: _Sources, approximated: Approximations) -> Dense:
    n_in, n_out, folder = layer.number("n_in"), layer.number("n_out"), sources.folder
    if (product := layer.members.get("product", "mult")) not in ("mult", "weight_ternary"):
        raise InputError(f"layer {name} of {folder} multiplies with {product}; give one whose weights are numbers")
    kernel = _weights(folder, weights[0], n_in * n_out)
    bias = _weights(folder, weights[1], n_out)
    of_weights, of_bias = (sources.types[layer.members[role]] for role in ("weight_t", "bias_t"))
    kernel = of_weights.rounded(kernel)
    if "resource" in layer.members["strategy"]:
        kernel = kernel.reshape(n_out, n_in).T  # it keeps them transposed, and in memories as wide as their type
        if np.abs(kernel).max(initial=0.0) < 2.0 ** (of_weights.integer_bits - 1):
            approximated.add("weights are counted in the bits they need, fewer than their type has", name)
    return Dense(name, kernel.reshape(n_in, n_out), of_bias.rounded(bias), True, True)


def _weights(folder: Path, name: str, n: int) -> Array:
    """Return the numbers of a weight file `(n,)`."""
    path = folder / "firmware" / "weights" / f"{name}.h"
    found = _NUMBERS.search(_text(path))
    numbers = np.array(found[1].split(",") if found else [], np.float64)
    if numbers.size != n:
        raise InputError(f"{path} has {numbers.size} numbers, its layer {n}; convert the model again")
    return numbers


def _activation(name: str, function: str, folder: Path) -> list[Step]:
    if function.startswith("dense_da"):
        raise InputError(
            f"layer {name} of {folder} is an adder graph without its weights; give the Keras model or network.npz that "
            "it was made of"
        )
    function = function.removesuffix("_multidim")
    if function in ("relu", "sigmoid", "softmax"):
        return activation(name, function, folder)
    if not (folder / _GENERATED).is_file():
        raise InputError(
            f"layer {name} of {folder} is nnet::{function}, whose code may be in {_GENERATED}, which is not there; "
            "convert the model again"
        )
    raise InputError(
        f"layer {name} of {folder} is nnet::{function}; supported are dense, relu and linear, and at the end "
        "sigmoid and softmax"
    )


def _mapping(layers: list[tuple[str, _Layer]], approximated: Approximations) -> Mapping | None:
    strategies = {config.members["strategy"] for _, config in layers}
    strategy = _STRATEGIES.get(strategies.pop()) if len(strategies) == 1 else None
    factors = tuple(config.number("reuse_factor") for _, config in layers)
    if strategy == "resource":
        return Mapping(strategy, factors)
    if strategy is None:
        approximated.add("the strategy is none that is known for all layers", layers[0][0] if layers else "none")
        return None
    for (name, _), factor in zip(layers, factors, strict=True):
        if factor != 1:
            approximated.add(f"reuse factor {factor} of strategy Latency is counted as 1", name)
    return Mapping(strategy, (1,) * len(layers))

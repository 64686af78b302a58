"""Writes hls4ml projects whose weights keep their own bits, and reads back what hls4ml decided.

The features of a network have a power-of-two scale each. Folded into the rows of the first kernel it would widen that
layer's weights by the spread of the scales (8 bits became 16), which costs nothing where weights are constants, but
makes memories and multipliers of the Resource strategy that much wider. A power of two only moves the binary point, so
here hls4ml converts the network on scaled features, and the input quantizer that it writes is replaced by one that
takes raw features, quantizes them in the input format, and hands the same bits on under the moved point.

Where all features have one format, hls4ml makes the port of that format, and rounding and saturation the sender's
work. Here they are inside: the port takes raw values cut to its grid. Only of a single feature, outside of distributed
arithmetic, the port has the format itself, which rounds and saturates where it is given a number in C++.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga._quiet import captured
from nas_fpga.data import InputFormat
from nas_fpga.errors import InputError
from nas_fpga.export._design import Design
from nas_fpga.export._saturation import with_kept_saturation
from nas_fpga.hardware import Strategy
from nas_fpga.training import QuantizedNetwork

PROJECT = "network"  # the top function, and the names of its files
STAMP = "design"  # of the library that build_lib.sh makes; hls4ml draws one at random
VERIFIABLE = ("vitis", "vivado")
_STRATEGY_NAMES: dict[Strategy, str] = {
    "distributed_arithmetic": "distributed_arithmetic",
    "latency": "Latency",
    "resource": "Resource",
}
_SPARE_INTEGER_BITS = 4  # of the port, as of RTL: a sender need not saturate before 16 times the range
_NAMES = {"vitis": "Vitis", "vivado": "Vivado", "catapult": "Catapult", "quartus": "Quartus", "oneapi": "oneAPI"}

_PLACES = {  # in hls4ml's own description of the project, seen from its folder
    "Stamp": STAMP,
    "OutputDir": ".",
    "KerasModel": "!keras_model '../model.keras'",
    "InputData": "tb_data/tb_input_features.dat",
    "OutputPredictions": "tb_data/tb_output_predictions.dat",
}


@dataclass(frozen=True)
class HlsLayer:
    """One dense layer as hls4ml builds it.

    Attributes:
        name: In the project.
        n_in: Inputs.
        n_out: Outputs.
        strategy: hls4ml's word for it.
        reuse_factor: In force.
        asked_reuse_factor: Of the mapping.
        types: Precision of weights, biases, accumulator and result, by hls4ml's names.
    """

    name: str
    n_in: int
    n_out: int
    strategy: str
    reuse_factor: int
    asked_reuse_factor: int
    types: dict[str, str]


@dataclass(frozen=True)
class HlsProject:
    """What hls4ml made of a design.

    Attributes:
        input_type: Of every element of the input port.
        output_type: Of every element of the output port.
        layers: Dense layers, first to last.
        warnings: What hls4ml said of its own accord.
    """

    input_type: str
    output_type: str
    layers: tuple[HlsLayer, ...]
    warnings: tuple[str, ...]


def write_hls(design: Design, backend: str, folder: Path, vectors: tuple[NDArray[Any], NDArray[Any]]) -> HlsProject:
    """Convert a design with hls4ml and write the project.

    Args:
        design: Any.
        backend: One of :data:`nas_fpga.export.Backend`.
        folder: Made anew.
        vectors: Raw features and outputs of Keras for the test bench.

    Raises:
        InputError: hls4ml cannot convert the model, or not for this backend.
    """
    with captured():
        import hls4ml
    if backend == "catapult" and _formats_differ(design.network):
        raise InputError(
            f"hls4ml has no code for features with formats of their own on catapult, and those of {design.title} "
            "differ; give --backend vitis or vivado"
        )
    with tempfile.TemporaryDirectory() as scratch, captured() as chatter:
        model, form = _model_to_convert(design, backend)
        files = [str(Path(scratch) / name) for name in ("features.npy", "outputs.npy")]
        for file, values in zip(files, vectors, strict=True):
            np.save(file, values)
        dense = _dense_names(model)
        strategy = _STRATEGY_NAMES[design.mapping.strategy]
        per_layer = {
            name: {"Strategy": strategy, "ReuseFactor": factor}
            for name, factor in zip(dense, design.mapping.reuse_factors, strict=True)
        }
        options: dict[str, Any] = {"clock_period": design.target.clock_ns}
        if backend in VERIFIABLE:
            # without text files the C++ that is run has the weights that are synthesised
            options |= {"part": design.target.part.name, "write_weights_txt": False}
        try:
            graph = hls4ml.converters.convert_from_keras_model(
                model,
                output_dir=str(folder),
                project_name=PROJECT,
                input_data_tb=files[0],
                output_data_tb=files[1],
                backend=_NAMES[backend],
                io_type="io_parallel",
                hls_config={
                    "Model": {"Precision": "fixed<1,0>", "ReuseFactor": 1, "Strategy": strategy},
                    "LayerName": per_layer,
                },
                **options,
            )
            if backend in VERIFIABLE:
                _narrow_weights(graph)
            if form is not None:
                _take_raw_features(graph, form)
            graph.write()
        except Exception as error:  # hls4ml raises whatever its passes run into
            reason = " ".join(str(error).split()) or type(error).__name__
            cure = "another --backend or --strategy" if backend in VERIFIABLE else "--backend vitis or vivado"
            raise InputError(
                f"hls4ml cannot convert {design.title} under {design.mapping} for {backend}: {reason}; give {cure}"
            ) from error
        _tidy(folder)
        layers = [layer for layer in graph.get_layers() if layer.class_name == "Dense"]
        found = tuple(
            _read_back(layer, asked) for layer, asked in zip(layers, design.mapping.reuse_factors, strict=True)
        )
        input_type, output_type = (
            str(variables[0].type.precision)
            for variables in (graph.get_input_variables(), graph.get_output_variables())
        )
        said = tuple(line for line in chatter() if "WARNING" in line)
    return HlsProject(input_type, output_type, found, said)


def _formats_differ(network: QuantizedNetwork | None) -> bool:
    """Whether the features of a network have more than one format; unknown of a model that was trained elsewhere."""
    if network is None:
        return False
    form = network.input_format
    return not _alike(form.bits, form.signed, form.fraction_bits)


def _model_to_convert(design: Design, backend: str) -> tuple[Any, InputFormat | None]:
    """Return the Keras model that hls4ml gets, and the input format that is to be inside the design, where known."""
    network = design.network
    if network is None or backend not in VERIFIABLE:
        return design.model, None
    from nas_fpga.export._hgq import build

    form, network = network.input_format, with_kept_saturation(network)
    if design.mapping.strategy == "distributed_arithmetic":
        return build(network), form
    if len(form.bits) == 1:
        return build(network), None  # nothing keeps hls4ml from fusing the one format, nor does its scale widen weights
    scaled = InputFormat(form.bits, form.signed, form.grid_bits, np.zeros_like(form.scale_log2))
    model = build(replace(network, input_format=scaled))
    if _alike(form.bits, form.signed, form.grid_bits):
        # hls4ml fuses a quantizer that treats all features alike into the port. One more bit at the top of one of them
        # keeps it; no type gets too narrow by that, and its code is replaced.
        integer_bits = next(layer for layer in model.layers if hasattr(layer, "kernel")).iq.quantizer._i
        wider = np.array(integer_bits)
        wider[..., 0] += 1
        integer_bits.assign(wider)
    return model, form


def _alike(*columns: NDArray[Any]) -> bool:
    """Whether the features have the same value in each column `(d,)`."""
    return all(np.unique(column).size == 1 for column in columns)


def _take_raw_features(graph: Any, form: InputFormat) -> None:
    """Make the port of a graph one of raw features, which are rounded and saturated in their format behind it."""
    quantizers = [layer for layer in graph.get_layers() if layer.class_name == "FixedPointQuantizer"]
    if quantizers:
        _move_points(quantizers[0], form)
    else:
        _quantize_in_adders(next(layer for layer in graph.get_layers() if layer.class_name == "Dense"), form)
    port = graph.get_input_variables()[0].type.precision
    port.signed, port.rounding_mode, port.saturation_mode = True, "TRN", "SAT"
    used = form.used if form.used.any() else np.ones_like(form.used)
    port.integer = int((form.bits - form.fraction_bits + ~form.signed)[used].max()) + _SPARE_INTEGER_BITS
    port.width = port.integer + int(form.fraction_bits[used].max()) + 1  # one bit more, so that ties round right


def _quantizer(form: InputFormat, feature: int) -> str:
    """Return the C++ type of a feature's format."""
    kind = "ap_fixed" if form.signed[feature] else "ap_ufixed"
    bits = form.bits[feature]
    return f"{kind}<{bits}, {bits - form.fraction_bits[feature]}, AP_RND, AP_SAT>"


def _move_points(quantizer: Any, form: InputFormat) -> None:
    """Replace the input quantizer of a graph on scaled features by that of raw ones."""
    from hls4ml.model.types import Source

    lines = []
    for i, (bits, signed, moved) in enumerate(zip(form.bits, form.signed, form.grid_bits, strict=True)):
        if bits == 0:
            lines.append(f"    out[{i}] = 0;")
            continue
        lines += [
            f"    {_quantizer(form, i)} value_{i} = inp[{i}];",
            f"    {'ap_fixed' if signed else 'ap_ufixed'}<{bits}, {bits - moved}> moved_{i};",
            f"    moved_{i}.range({bits - 1}, 0) = value_{i}.range({bits - 1}, 0);",
            f"    out[{i}] = moved_{i};",
        ]
    code = (
        "\n// The input format: rounds and saturates raw features; the network reads the same bits with the binary\n"
        "// point moved, which costs nothing.\n"
        f"template <typename input_t, typename output_t> void {quantizer.name}(input_t *inp, output_t *out) {{\n"
        "    #pragma HLS INLINE\n" + "\n".join(lines) + "\n}\n"
    )
    quantizer.set_attr("mask_fn_codegen", Source(code))


def _quantize_in_adders(dense: Any, form: InputFormat) -> None:
    """Quantize the inputs of a layer's adder graph in its code, as hls4ml does where the formats differ."""
    from hls4ml.model.types import Source

    code = dense.get_attr("da_codegen").code
    if "AP_RND, AP_SAT> model_inp_q_" in code:
        return
    lines = []
    for i in np.flatnonzero(form.used).tolist():
        lines.append(f"    {_quantizer(form, i)} model_inp_q_{i} = model_inp[{i}];")
        code = code.replace(f"model_inp[{i}];", f"model_inp_q_{i};")
    inline = "#pragma HLS INLINE\n"
    dense.set_attr("da_codegen", Source(code.replace(inline, inline + "\n".join(lines) + "\n", 1)))


def _narrow_weights(graph: Any) -> None:
    """Give weights the fewest bits that hold them: beside a zero hls4ml keeps all bits below one."""
    for layer in graph.get_layers():
        if layer.class_name != "Dense" or "weight" not in layer.weights:
            continue
        weight = layer.weights["weight"]
        precision = weight.type.precision
        fraction = precision.width - precision.integer
        steps = np.rint(np.asarray(weight.data, np.float64) * 2.0**fraction).astype(np.int64)
        width = int(np.where(steps < 0, -steps - 1, steps).max()).bit_length() + int(precision.signed)
        if 1 < width < precision.width:
            precision.width, precision.integer = width, width - fraction


def _dense_names(model: Any) -> list[str]:
    return [layer.name for layer in model.layers if hasattr(layer, "kernel")]


def _read_back(layer: Any, asked: int) -> HlsLayer:
    return HlsLayer(
        name=layer.name,
        n_in=int(layer.get_attr("n_in")),
        n_out=int(layer.get_attr("n_out")),
        strategy=str(layer.get_attr("strategy")),
        reuse_factor=int(layer.get_attr("reuse_factor")),
        asked_reuse_factor=asked,
        types={
            name.removesuffix("_t").removeprefix(layer.name).removeprefix("_") or "result": str(type_.precision)
            for name, type_ in layer.get_layer_precision().items()
            if name.endswith("_t")
        },
    )


def _tidy(folder: Path) -> None:
    """Leave nothing that differs between two exports of the same design, nor a second copy of the model."""
    config = folder / "hls4ml_config.yml"
    text = config.read_text()
    stamp = re.search(r"^Stamp: '?(\w+)'?$", text, re.MULTILINE)
    for file in (folder / "build_lib.sh", folder / "CMakeLists.txt", folder / "Makefile"):
        if stamp is not None and file.exists():
            file.write_text(file.read_text().replace(stamp[1], STAMP))
    for key, value in _PLACES.items():
        text = re.sub(rf"^{key}:.*$", f"{key}: {value}", text, flags=re.MULTILINE)
    config.write_text(text)
    (folder / "keras_model.keras").unlink(missing_ok=True)

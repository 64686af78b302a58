"""The one place that knows da4ml: a network becomes a graph of adders, that a pipelined netlist, and that files.

da4ml's development goes on under another name; whoever moves to the successor changes this file only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.hardware._adder_law import SPARE_BITS, placed_luts
from nas_fpga.hardware._graph_operations import operation_bits
from nas_fpga.hardware._period import adder_levels_per_cycle
from nas_fpga.hardware._traits import live_weights
from nas_fpga.training import QuantizedNetwork

if TYPE_CHECKING:
    import keras

Language = Literal["verilog", "vhdl"]
SUFFIX: dict[Language, str] = {"verilog": "v", "vhdl": "vhd"}
_ONE_LEVEL_AN_ADDER = (1, -1, -1)  # da4ml's HWConfig: adders are counted in bits, each is a level, no end of levels


@dataclass(frozen=True)
class NetWord:
    """One word of the netlist's packed bus: a fixed-point number; no bits where it is always zero.

    Attributes:
        signed: Two's complement; else there is no sign bit.
        integer_bits: Without the sign; may be negative.
        fraction_bits: One LSB is ``2**-fraction_bits``.
        low: Least value.
        high: Largest value.
    """

    signed: bool
    integer_bits: int
    fraction_bits: int
    low: float
    high: float

    @property
    def bits(self) -> int:
        """Width on the bus."""
        return self.signed + self.integer_bits + self.fraction_bits


@dataclass(frozen=True, eq=False)
class AdderGraph:
    """What a network or model computes, as additions of shifted words.

    Attributes:
        luts: What it takes by kind of operation, stage `adder-graph`: on the scale of da4ml's cost.
        parts: How they divide over the input format and each layer of a network, with its bias and quantizer, or over
            those that the graph is of; of a model all in one.
        levels: Levels of adders from input to output.
        cost: da4ml's own, which counts every adder by the bits of its result.
    """

    luts: float
    parts: tuple[float, ...]
    levels: int
    cost: float
    _comb: Any


@dataclass(frozen=True, eq=False)
class Netlist:
    """A pipelined adder graph with registers at its inputs and outputs; takes a new input every cycle.

    Attributes:
        inputs: Its input bus, least significant word first.
        outputs: Its output bus, likewise.
        luts: Of the adder graph, stage `adder-graph`.
        flip_flops: Bits of its registers.
        levels: Levels of adders from input to output.
        levels_per_cycle: Most of them between two registers.
        latency_cycles: Registers from input to output, both ends included.
    """

    inputs: tuple[NetWord, ...]
    outputs: tuple[NetWord, ...]
    luts: float
    flip_flops: int
    levels: int
    levels_per_cycle: int
    latency_cycles: int
    _pipeline: Any

    def write(self, folder: Path, name: str, language: Language) -> list[Path]:
        """Write module ``name`` with its stages and primitives; return the files in order of compilation.

        The primitives are da4ml's own; its licence is put beside them.
        """
        import importlib.resources

        if language == "verilog":
            from da4ml.codegen.rtl.verilog import pipeline_logic_gen
        else:
            from da4ml.codegen.rtl.vhdl import pipeline_logic_gen
        primitives = folder / "primitives"
        primitives.mkdir(parents=True, exist_ok=True)
        package = importlib.resources.files("da4ml")
        (primitives / "LICENSE.da4ml").write_bytes((package / "LICENSE").read_bytes())
        files = []
        sources = package / "codegen" / "rtl" / language / "source"
        for primitive in ("binop", "multiplier", "mux", "negative", "shift_adder"):
            files.append(primitives / f"{primitive}.{SUFFIX[language]}")
            files[-1].write_bytes((sources / files[-1].name).read_bytes())
        for module, text in pipeline_logic_gen(self._pipeline, name).items():
            files.append(folder / f"{module}.{SUFFIX[language]}")
            files[-1].write_text(text)
        return files


def da4ml_version() -> str:
    """Return da4ml's version."""
    import importlib.metadata

    return importlib.metadata.version("da4ml")


def adder_graph(network: QuantizedNetwork) -> AdderGraph:
    """Return the adder graph of a trained network: what :func:`adder_graph_of_model` finds for its HGQ2 model.

    Raw features come in as signed words with :data:`SPARE_BITS` more bits than the widest feature's format.
    """
    return adder_graph_of_stretch(network, 0, len(network.layers) + 1)


def adder_graph_of_stretch(network: QuantizedNetwork, first: int, stop: int) -> AdderGraph:
    """Return the adder graph of consecutive parts of a trained network: 0 is the input format, `k` the `k`-th layer.

    Args:
        network: In integers.
        first: Part that it begins with; words come in as the part before leaves them, raw features at 0.
        stop: Part after the last.
    """
    from da4ml.trace import comb_trace

    # Neurons that no later layer uses are no part of the costs; of a network of zeros something has to be traced.
    used = [*(weights.any(axis=1) for weights in live_weights(network)), np.ones(network.layers[-1].n_out, np.bool_)]
    used = [mask if mask.any() else ~mask for mask in used]
    combs = []
    if first == 0:
        form = network.input_format
        signed = (form.signed & form.used).astype(np.int64)
        values = words = _input_words(
            integer_bits=int(form.bits.max()) + SPARE_BITS - 2 - form.fraction_bits,
            fraction_bits=form.fraction_bits + 1,
        )
        values = _quantized(values, signed, form.bits, form.fraction_bits)
        combs.append(comb_trace(words, values[used[0]]))
    else:
        values = words = _words_after(network, first - 1)
    for k, layer in enumerate(network.layers[max(first - 1, 0) : stop - 1], max(first, 1)):
        row_shift = network.input_format.scale_log2[:, None] if k == 1 else np.zeros((1, 1), np.int64)
        fraction = (layer.weight_fraction_bits + row_shift).astype(np.float64)
        values = values @ (layer.weights * np.exp2(-fraction)) + layer.bias * 2.0**-layer.bias_fraction_bits
        if layer.activation_bits is not None and layer.activation_fraction_bits is not None:
            unsigned = np.zeros_like(layer.activation_bits)
            values = _quantized(values.relu(), unsigned, layer.activation_bits, layer.activation_fraction_bits)
        combs.append(comb_trace(words, values[used[k]]))
    return _graph(combs)


def _words_after(network: QuantizedNetwork, part: int) -> Any:
    """Return fresh words of the values that leave the input format (0) or the ``part``-th layer, with their ranges."""
    from da4ml.trace import FixedVariableArray, HWConfig

    form = network.input_format
    low, high = form.ends
    if part == 0:  # as they come in, before the scale
        step = np.exp2(-form.fraction_bits.astype(np.float64))
        low, high = (np.ldexp(ends, form.scale_log2) for ends in (low, high))
    else:
        for layer in network.layers[:part]:
            low, high = (layer.activate(sums) for sums in layer.ends_of_sums(low, high))
        step = np.exp2(-np.asarray(network.layers[part - 1].activation_fraction_bits, np.float64))
    return FixedVariableArray.from_lhs(low, high, step, HWConfig(*_ONE_LEVEL_AN_ADDER))


def adder_graph_of_model(
    model: keras.Model, integer_bits: NDArray[np.int64], fraction_bits: NDArray[np.int64]
) -> AdderGraph:
    """Return the adder graph of a model whose inputs are signed words.

    Args:
        model: HGQ2 layers; the first one's quantizer rounds and clips the words, inside the graph.
        integer_bits: `(d,)` of each input word, without its sign.
        fraction_bits: `(d,)` of each input word.

    Raises:
        InputError: The model has a layer that da4ml cannot trace, or look-up tables.
    """
    from da4ml.converter import trace_model
    from da4ml.trace import comb_trace

    words = _input_words(integer_bits, fraction_bits)
    try:
        inputs, outputs = trace_model(model, inputs=words, framework="keras")
    except (KeyError, AssertionError, NotImplementedError) as error:  # how da4ml says that it does not know a thing
        raise InputError(f"RTL: da4ml cannot trace the model: {error!r}; use dense HGQ2 layers and ReLU") from error
    comb = comb_trace(inputs, outputs)
    if comb.lookup_tables:
        raise InputError("RTL: the model has look-up tables (softmax, tanh, ...); end it at the raw outputs, use ReLU")
    return _graph([comb])


def build_netlist(graph: AdderGraph, clock_ns: float, *, other_luts: float = 0.0) -> Netlist:
    """Cut an adder graph into pipeline stages.

    Args:
        graph: Of a network or model.
        clock_ns: Decides how many levels of adders fit between two registers.
        other_luts: What the design has beside this graph, stage `adder-graph`: a larger one has longer wires.
    """
    from da4ml.trace.pipeline import to_pipeline

    levels = adder_levels_per_cycle(placed_luts(graph.luts + other_luts), clock_ns)
    pipeline = to_pipeline(graph._comb, levels, verbose=False)
    return Netlist(
        inputs=_words(pipeline.inp_qint),
        outputs=_words(pipeline.out_qint),
        luts=graph.luts,
        flip_flops=int(pipeline.reg_bits),
        levels=graph.levels,
        levels_per_cycle=levels,
        latency_cycles=len(pipeline.solutions) + 1,
        _pipeline=pipeline,
    )


def _graph(combs: Sequence[Any]) -> AdderGraph:
    """Return the graph of the last of these, each of which has one part more than the one before."""
    luts = [operation_bits(comb).luts for comb in combs]
    return AdderGraph(
        luts=luts[-1],
        parts=tuple(np.diff(luts, prepend=0.0).tolist()),
        levels=int(np.ceil(combs[-1].latency[1])),
        cost=float(combs[-1].cost),
        _comb=combs[-1],
    )


def _input_words(integer_bits: NDArray[np.int64], fraction_bits: NDArray[np.int64]) -> Any:
    from da4ml.trace import FixedVariableArray, HWConfig

    return FixedVariableArray.from_kif(
        np.ones_like(integer_bits), integer_bits, fraction_bits, HWConfig(*_ONE_LEVEL_AN_ADDER)
    )


def _quantized(values: Any, signed: NDArray[np.int64], bits: NDArray[np.int64], fraction: NDArray[np.int64]) -> Any:
    return values.quantize(signed, bits - signed - fraction, fraction, overflow_mode="SAT", round_mode="RND")


def _words(intervals: Any) -> tuple[NetWord, ...]:
    from da4ml.types import minimal_kif

    return tuple(
        NetWord(bool(signed), int(integer), int(fraction), float(interval.min), float(interval.max))
        for interval in intervals
        for signed, integer, fraction in [minimal_kif(interval)]
    )

"""The one place that knows da4ml: a model becomes a pipelined netlist of adders, and that becomes files.

da4ml's development goes on under another name; whoever moves to the successor changes this file only.
"""

from __future__ import annotations

import importlib.metadata
import importlib.resources
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.hardware import adder_levels_per_cycle, placed_luts

if TYPE_CHECKING:
    import keras

Language = Literal["verilog", "vhdl"]
SUFFIX: dict[Language, str] = {"verilog": "v", "vhdl": "vhd"}


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
class Netlist:
    """A pipelined adder graph with registers at its inputs and outputs; takes a new input every cycle.

    Attributes:
        inputs: Its input bus, least significant word first.
        outputs: Its output bus, likewise.
        luts: Cost of the adder graph in LUTs, stage `adder-graph`.
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


def version() -> str:
    """Return da4ml's version."""
    return importlib.metadata.version("da4ml")


def build_netlist(
    model: keras.Model, integer_bits: NDArray[np.int64], fraction_bits: NDArray[np.int64], clock_ns: float
) -> Netlist:
    """Trace a model whose inputs are signed words, and cut it into pipeline stages for a clock.

    Args:
        model: HGQ2 layers; the first one's quantizer rounds and clips the words, inside the netlist.
        integer_bits: `(d,)` of each input word, without its sign.
        fraction_bits: `(d,)` of each input word.
        clock_ns: Decides how many levels of adders fit between two registers.

    Raises:
        InputError: The model has a layer that da4ml cannot trace, or look-up tables.
    """
    from da4ml.converter import trace_model
    from da4ml.trace import FixedVariableArray, HWConfig, comb_trace
    from da4ml.trace.pipeline import to_pipeline

    one_level_an_adder = HWConfig(1, -1, -1)
    words = FixedVariableArray.from_kif(np.ones_like(integer_bits), integer_bits, fraction_bits, one_level_an_adder)
    try:
        inputs, outputs = trace_model(model, inputs=words, framework="keras")
    except (KeyError, AssertionError, NotImplementedError) as error:  # how da4ml says that it does not know a thing
        raise InputError(f"RTL: da4ml cannot trace the model: {error!r}; use dense HGQ2 layers and ReLU") from error
    graph = comb_trace(inputs, outputs)
    if graph.lookup_tables:
        raise InputError("RTL: the model has look-up tables (softmax, tanh, ...); end it at the raw outputs, use ReLU")
    levels = adder_levels_per_cycle(placed_luts(graph.cost), clock_ns)
    pipeline = to_pipeline(graph, levels, verbose=False)
    return Netlist(
        inputs=_words(pipeline.inp_qint),
        outputs=_words(pipeline.out_qint),
        luts=graph.cost,
        flip_flops=int(pipeline.reg_bits),
        levels=int(np.ceil(graph.latency[1])),
        levels_per_cycle=levels,
        latency_cycles=len(pipeline.solutions) + 1,
        _pipeline=pipeline,
    )


def _words(intervals: Any) -> tuple[NetWord, ...]:
    from da4ml.types import minimal_kif

    return tuple(
        NetWord(bool(signed), int(integer), int(fraction), float(interval.min), float(interval.max))
        for interval in intervals
        for signed, integer, fraction in [minimal_kif(interval)]
    )

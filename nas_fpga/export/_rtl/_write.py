"""Writes a design as RTL: netlist, wrapper, port table, test bench, vectors and the Vivado script."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.export._design import Design
from nas_fpga.export._rtl import _verilog, _vhdl
from nas_fpga.export._rtl._formats import input_formats
from nas_fpga.export._rtl._interface import Decision, Interface
from nas_fpga.export._rtl._ports import Word, bus_bits, edge_events, input_words, output_words, pack, table
from nas_fpga.export._rtl._vectors import write_expected, write_stimulus
from nas_fpga.export._rtl._vivado import CONSTRAINTS, clock_constraint, ooc_script
from nas_fpga.export._text import one_line
from nas_fpga.hardware import SUFFIX, Language, Netlist, adder_graph_of_model, build_netlist, da4ml_version

# Test vectors that travel with the IP; verification plays more.
VECTOR_EVENTS = 1000


def write_rtl(
    design: Design, folder: Path, *, language: Language = "verilog", decision: Decision = "none"
) -> dict[str, Any]:
    """Write the IP and return its description, which is also in ``rtl.json``.

    Raw features go in, at one event every clock cycle: the input format of the model is inside. Registers are at the
    input, between the pipeline stages and at the output, and nothing combinational lies outside of them.

    Args:
        design: The model, part, clock, events, and the working point where a decision is asked.
        folder: Written to; made where it is missing.
        language: Of netlist, wrapper and test bench.
        decision: Adds an output bit ``score >= working point``; the working point is a constant or an input port.

    Returns:
        A JSON-ready description: ports, latency, cost, files, how to build.

    Raises:
        InputError: The model cannot be written, or a decision is asked where there is no working point for one output.
    """
    formats = input_formats(design.model)
    inputs = input_words(design.feature_names, design.feature_units, formats)
    fraction_bits = np.array([word.fraction_bits for word in inputs])
    integer_bits = np.array([word.bits - 1 for word in inputs]) - fraction_bits
    net = build_netlist(adder_graph_of_model(design.model, integer_bits, fraction_bits), design.target.clock_ns)
    if not any(word.bits for word in net.inputs) or not any(word.bits for word in net.outputs):
        raise InputError("RTL: the outputs do not depend on the features; there is nothing to build")
    outputs = output_words(
        _output_names(design, len(net.outputs)),
        [word.low for word in net.outputs],
        [word.high for word in net.outputs],
        max(word.fraction_bits for word in net.outputs),
    )
    threshold = None if decision == "none" else _threshold_steps(design, outputs)
    latency_cycles = net.latency_cycles + (decision != "none")
    top = _module_name(design.title)
    header = _header(design, inputs, outputs, decision, threshold, latency_cycles)
    ports = Interface(
        top=top,
        inputs=inputs,
        outputs=outputs,
        net_inputs=net.inputs,
        net_outputs=net.outputs,
        decision=decision,
        threshold=threshold,
        latency_cycles=latency_cycles,
        clock_ns=design.target.clock_ns,
        header=header,
    )
    files = _write_sources(ports, net, folder, language)
    _write_vectors(design, ports, folder / "tb")
    (folder / "ports.md").write_text("\n".join(header) + "\n", encoding="utf-8")
    (folder / CONSTRAINTS).write_text(clock_constraint(design.target.clock_ns), encoding="utf-8")
    (folder / "vivado_ooc.tcl").write_text(
        ooc_script(top, language, files, design.target.part.name, design.target.clock_ns), encoding="utf-8"
    )
    description = _description(design, ports, net, language, [str(file) for file in files])
    (folder / "rtl.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    return description


def _output_names(design: Design, n_outputs: int) -> list[str]:
    if n_outputs == 1:
        return ["score"]
    if n_outputs == len(design.class_names):
        return list(design.class_names)
    return [f"output_{i}" for i in range(n_outputs)]


def _threshold_steps(design: Design, outputs: tuple[Word, ...]) -> int:
    """Return the working point in LSBs of the output, rounded up: ``n >= ceil(t)`` is ``n >= t`` for every integer."""
    if design.threshold is None or len(outputs) != 1:
        raise InputError(
            f"RTL: a decision needs one output and a working point; this design has {len(outputs)} outputs and "
            f"{'no' if design.threshold is None else 'a'} working point"
        )
    (word,) = outputs
    steps: int = math.ceil(design.threshold * 2.0**word.fraction_bits)
    if steps >= 2 ** (word.bits - 1):
        raise InputError(f"RTL: working point {design.threshold:g} is above all outputs (at most {word.high:g})")
    lowest: int = -(2 ** (word.bits - 1))
    return max(steps, lowest)


def _module_name(title: str) -> str:
    """Return a name that is legal in Verilog and VHDL."""
    return ("nn_" + re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_"))[:48].rstrip("_")


def _header(
    design: Design,
    inputs: tuple[Word, ...],
    outputs: tuple[Word, ...],
    decision: Decision,
    threshold: int | None,
    latency_cycles: int,
) -> tuple[str, ...]:
    lines = [
        f"# {one_line(design.title)}",
        "",
        f"A new event every clock cycle; results {latency_cycles} cycles later. `clk` {design.target.clock_ns:g} ns,",
        f"`out_valid` is `in_valid` {latency_cycles} cycles later, `rst` clears the valid chain only.",
        "Registers are at the input, between stages, and at the output.",
        "",
        *_port_table(inputs, outputs, decision),
        "",
        "## in_data: raw features, signed two's complement",
        "",
        "Cut (floor) a raw value to the word's LSB; rounding and the format of the model are inside. Values that the",
        "word cannot hold must be treated by the sender as its column says. From, to: what the model distinguishes.",
        "",
        *table(inputs),
        "",
        "## out_data: outputs, signed two's complement",
        "",
        *table(outputs),
    ]
    if threshold is not None:
        (word,) = outputs
        lines += [
            "",
            "## decision: score >= working point; a tie passes",
            "",
            f"Working point {design.threshold:.9g}: {threshold} LSBs of the score (rounded up to its grid), "
            f"in {word.bits} bits 0x{threshold & ((1 << word.bits) - 1):x}.",
        ]
        if decision == "register":
            lines.append(f"Load that word into the port `threshold` ([{word.bits - 1}:0], signed); another cut needs")
            lines.append("no other netlist. It acts on the event that leaves two cycles after it changed.")
        else:
            lines.append("It is a constant of the netlist.")
    return tuple(lines)


def _port_table(inputs: tuple[Word, ...], outputs: tuple[Word, ...], decision: Decision) -> list[str]:
    ports = [
        ("clk", "in", 1, "all registers are on its rising edge"),
        ("rst", "in", 1, "synchronous, active high"),
        ("in_valid", "in", 1, "in_data holds an event"),
        ("in_data", "in", bus_bits(inputs), "the features, below"),
    ]
    if decision == "register":
        ports.append(("threshold", "in", outputs[0].bits, "the working point, below"))
    ports += [
        ("out_valid", "out", 1, "out_data holds a result"),
        ("out_data", "out", bus_bits(outputs), "the outputs, below"),
    ]
    if decision != "none":
        ports.append(("decision", "out", 1, "1: the event passes"))
    lines = ["| port | direction | bits | what |", "|---|---|---|---|"]
    return lines + [f"| {name} | {direction} | {bits} | {what} |" for name, direction, bits, what in ports]


def _write_sources(ports: Interface, net: Netlist, folder: Path, language: Language) -> list[Path]:
    """Write netlist, wrapper and test bench; return the files of the IP in order of compilation, as in ``rtl.json``."""
    source, bench = folder / "src", folder / "tb"
    source.mkdir(parents=True, exist_ok=True)
    bench.mkdir(exist_ok=True)
    files = net.write(source, f"{ports.top}_net", language)
    files.append(source / f"{ports.top}.{SUFFIX[language]}")
    writer = _verilog if language == "verilog" else _vhdl
    files[-1].write_text(writer.wrapper(ports), encoding="utf-8")
    _bench_path(folder, ports.top, language).write_text(writer.test_bench(ports), encoding="utf-8")
    return [file.relative_to(folder) for file in files]


def _bench_path(folder: Path, top: str, language: Language) -> Path:
    return folder / "tb" / f"tb_{top}.{'sv' if language == 'verilog' else 'vhd'}"


def _write_vectors(design: Design, ports: Interface, folder: Path) -> None:
    """Write events and what comes of them; edge cases first, then real ones.

    What comes of them the integers of the network say, as Keras rounds sums of more than 24 bits; of a model that was
    trained elsewhere there is Keras alone.
    """
    events = np.concatenate([edge_events(ports.inputs), design.events[:VECTOR_EVENTS].astype(np.float32)])
    values: NDArray[np.float64] = (
        design.network.logits(events)
        if design.network is not None
        else np.asarray(design.model.predict(events, verbose=0), np.float64).reshape(len(events), -1)
    )
    results = pack(ports.outputs, values)
    if ports.threshold is not None and design.threshold is not None:
        passed = [score >= design.threshold for score in values[:, 0].tolist()]
        results = [bus | int(bit) << ports.out_bits for bus, bit in zip(results, passed, strict=True)]
    write_stimulus(folder / "stimulus.txt", pack(ports.inputs, events), ports.in_bits)
    write_expected(folder / "expected.txt", results, ports.result_bits)


def _description(
    design: Design, ports: Interface, net: Netlist, language: Language, files: list[str]
) -> dict[str, Any]:
    width = ports.outputs[0].bits
    port_list = [
        {"name": "clk", "direction": "in", "bits": 1},
        {"name": "rst", "direction": "in", "bits": 1},
        {"name": "in_valid", "direction": "in", "bits": 1},
        {"name": "in_data", "direction": "in", "bits": ports.in_bits},
        {"name": "out_valid", "direction": "out", "bits": 1},
        {"name": "out_data", "direction": "out", "bits": ports.out_bits},
    ]
    if ports.decision == "register":
        port_list.append({"name": "threshold", "direction": "in", "bits": width})
    if ports.decision != "none":
        port_list.append({"name": "decision", "direction": "out", "bits": 1})
    clock_ns = design.target.clock_ns
    return {
        "title": design.title,
        "language": language,
        "top": ports.top,
        "part": design.target.part.name,
        "clock_ns": clock_ns,
        "latency_cycles": ports.latency_cycles,
        "latency_ns": ports.latency_cycles * clock_ns,
        "ii_cycles": 1,
        "adder_levels": net.levels,
        "adder_levels_per_cycle": net.levels_per_cycle,
        "lut": {"value": net.luts, "unit": "LUT", "stage": "adder-graph"},
        "ff": {"value": net.flip_flops, "unit": "FF", "stage": "adder-graph"},
        "ports": port_list,
        "inputs": [word.as_json() for word in ports.inputs],
        "outputs": [word.as_json() for word in ports.outputs],
        "decision": {
            "kind": ports.decision,
            "working_point": design.threshold if ports.decision != "none" else None,
            "threshold_lsbs": ports.threshold,
        },
        "files": {
            "sources": files,
            "test_bench": f"tb/{_bench_path(Path(), ports.top, language).name}",
            "vectors": ["tb/stimulus.txt", "tb/expected.txt"],
            "vivado": "vivado_ooc.tcl",
            "constraints": CONSTRAINTS,
            "ports": "ports.md",
        },
        "da4ml": da4ml_version(),
        "how_to_build": _how_to_build(ports.top, language),
    }


def _how_to_build(top: str, language: Language) -> str:
    if language == "verilog":
        bench = (
            f"verilator --binary --timing -Wno-fatal --top-module tb_{top} ../src/*.v ../src/primitives/*.v "
            f"tb_{top}.sv && obj_dir/Vtb_{top}"
        )
    else:
        bench = (
            f"ghdl -i --std=08 ../src/*.vhd ../src/primitives/*.vhd tb_{top}.vhd && ghdl -m --std=08 tb_{top} "
            f"&& ghdl -r --std=08 tb_{top}"
        )
    return (
        f"RTL, in `rtl/`: instantiate `{top}`; `ports.md` has the ports and their packing. Test bench, in `tb/`: "
        f"`{bench}` prints PASS.\n"
        "Vivado, out of context: `vivado -mode batch -source vivado_ooc.tcl -tclargs [region]`, e.g. `SLR0`; it writes "
        "`vivado/utilization.rpt`, `timing.rpt`, `slack_ns.txt` and a checkpoint.\n"
        "The modules under `src/primitives` are da4ml's (LGPL-3.0, licence beside them) and have common names: use the "
        "checkpoint, or a library of its own, where names could clash."
    )

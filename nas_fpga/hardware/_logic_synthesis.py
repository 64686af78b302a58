"""Counts the cells of RTL by logic synthesis: Yosys, in a process of its own with limits of time and memory."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nas_fpga._process import ToolFailedError, run
from nas_fpga.errors import InputError
from nas_fpga.hardware._cache import cache_folder, keep, recall
from nas_fpga.hardware._parts import Part

# LUTs, flip-flops, carry chains, DSPs and BRAM18 of the cells that Yosys makes of adder graphs and hls4ml's RTL.
_LUT, _FF, _CARRY, _DSP, _BRAM18 = range(5)
_CELLS: dict[str, tuple[int, int]] = {
    **{f"LUT{n}": (_LUT, 1) for n in range(1, 7)},
    **dict.fromkeys(("SRL16E", "SRLC32E"), (_LUT, 1)),  # a shift register takes the LUT that it is in
    **dict.fromkeys(("FDRE", "FDSE", "FDCE", "FDPE"), (_FF, 1)),
    **dict.fromkeys(("CARRY4", "CARRY8"), (_CARRY, 1)),
    **dict.fromkeys(("DSP48E1", "DSP48E2"), (_DSP, 1)),
    **dict.fromkeys(("RAMB18E1", "RAMB18E2"), (_BRAM18, 1)),
    **dict.fromkeys(("RAMB36E1", "RAMB36E2"), (_BRAM18, 2)),
}
# Multiplexers and inverters beside the LUTs of a slice, buffers and constants, and where a flattened module was.
_FREE = frozenset(("$scopeinfo", "MUXF7", "MUXF8", "MUXF9", "INV", "BUFG", "IBUF", "OBUF", "GND", "VCC"))
# Both limits are Yosys' own: they hold for the child alone, whatever else the machine does.
_CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[2]), int(sys.argv[2])))
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[3]), int(sys.argv[3])))
from pyosys import libyosys as ys
ys.run_pass(sys.argv[1], ys.Design())
"""


@dataclass(frozen=True)
class CellCounts:
    """What a design takes after logic synthesis, stage `logic-synthesis`.

    Attributes:
        lut: Look-up tables, of any number of inputs; one that holds two small functions counts twice, as Yosys does not
            join them.
        ff: Flip-flops.
        carry: Pieces of carry chains, of 4 bits in every family as Yosys makes them.
        dsp: DSP slices.
        bram18: Block memories of 18 Kbit.
    """

    lut: int
    ff: int
    carry: int
    dsp: int
    bram18: int


def yosys_version() -> str | None:
    """Return the version of Yosys, None where it is not installed."""
    import importlib.metadata
    import importlib.util

    return importlib.metadata.version("pyosys") if importlib.util.find_spec("pyosys") else None


def yosys_family(part: Part) -> str:
    """Return what Yosys calls the family of a part."""
    if part.device.startswith("xc7"):
        return "xc7"
    return "xcu" if part.device in ("xcku040", "xcku060", "xcku115") else "xcup"


def synthesise(
    files: Sequence[Path],
    top: str,
    family: str,
    *,
    most_cpu_s: int = 1800,
    most_memory_gb: float = 8.0,
    cache: Path | None = None,
    message: Callable[[str], None],
) -> CellCounts:
    """Return the cells of a Verilog design, flattened, without pads.

    Args:
        files: Its sources.
        top: Its module.
        family: See :func:`yosys_family`.
        most_cpu_s: Of Yosys; one CPU second is a wall second where the machine has nothing else to do.
        most_memory_gb: Of Yosys, address space.
        cache: Folder of results by content; None for the user's cache, ``~/.cache/nas-fpga/synthesis``.
        message: Told every ten seconds how long it has run.

    Raises:
        InputError: Yosys is not installed.
        ToolFailedError: Yosys failed, needed more than it may, or made a cell that nothing is known of.
    """
    version = yosys_version()
    if version is None:
        raise InputError("logic synthesis needs Yosys: pip install 'nas-fpga[rtl]'")
    kept = (cache or cache_folder("synthesis")) / f"{_content(files, top, family, version)}.json"
    recalled = recall(kept, CellCounts)
    if recalled is not None:
        return recalled
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sources = " ".join(f'"{file.resolve()}"' for file in files)
        (folder / "run.ys").write_text(
            f"read_verilog {sources}\n"
            f"synth_xilinx -family {family} -flatten -noiopad -noclkbuf -top {top}\n"
            "tee -q -o cells.json stat -json\n"
        )
        limits = [str(most_cpu_s), str(int(most_memory_gb * 2**30))]
        command = [sys.executable, "-c", _CHILD, "script run.ys", *limits]
        run(command, folder, f"logic synthesis of {top}", message=message)
        counts = count_cells(json.loads((folder / "cells.json").read_text())["design"]["num_cells_by_type"])
    keep(kept, counts)
    return counts


def count_cells(cells: dict[str, int]) -> CellCounts:
    """Return what cells take, by their types in Yosys' libraries for Xilinx.

    Raises:
        ToolFailedError: Nothing is known of a type: it is never taken to be free.
    """
    totals = [0] * 5
    for kind, number in cells.items():
        if kind in _FREE:
            continue
        if kind not in _CELLS:
            raise ToolFailedError(f"logic synthesis made {number} cells of type {kind}, whose cost is not known")
        place, each = _CELLS[kind]
        totals[place] += each * number
    return CellCounts(*totals)


def _content(files: Sequence[Path], top: str, family: str, version: str) -> str:
    digest = hashlib.sha256(f"{top} {family} {version}".encode())
    for file in files:
        content = file.read_bytes()
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()[:32]

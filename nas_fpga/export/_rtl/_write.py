"""Writes a design as RTL: netlist, wrapper, port table, test bench, vectors and the Vivado script."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from nas_fpga.export._design import Design


def write_rtl(
    design: Design,
    folder: Path,
    *,
    language: Literal["verilog", "vhdl"] = "verilog",
    decision: Literal["none", "constant", "register"] = "none",
) -> dict[str, Any]:
    """Write the IP and return its description, as it is in ``rtl.json``."""
    raise NotImplementedError

"""Simulates an RTL folder as it lies on disk: nothing is generated again, so what is wrong in a file shows."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga._process import ToolFailedError, run
from nas_fpga.errors import InputError
from nas_fpga.export._rtl._ports import Word, bus_bits, pack, unpack, word_of_json
from nas_fpga.export._rtl._simulators import Simulator, find_simulator
from nas_fpga.export._rtl._vectors import read_outputs, write_stimulus


@dataclass(frozen=True, eq=False)
class RtlSimulation:
    """What a simulator saw at the ports.

    Attributes:
        outputs: `(n, n_outputs)` float64, exact.
        decisions: `(n,)` bool; None where the design has no decision.
        latency_cycles: From valid in to valid out, the same for all events.
        ii_cycles: Least distance of two outputs.
        simulator: Name and version.
        build_s: Seconds of wall time to build the simulation.
        run_s: Seconds of wall time to run it.
    """

    outputs: NDArray[np.float64]
    decisions: NDArray[np.bool_] | None
    latency_cycles: int
    ii_cycles: int
    simulator: str
    build_s: float
    run_s: float


def simulate_rtl(
    folder: Path,
    features: NDArray[np.float32],
    *,
    message: Callable[[str], None],
    simulator: Simulator | None = None,
) -> RtlSimulation:
    """Play raw features through the ports of the RTL in a folder.

    Events come back to back and with idle cycles between them, in turn.

    Args:
        folder: What :func:`write_rtl` wrote.
        features: `(n, d)` raw, at least one row.
        message: Told what goes on, one line at a time.
        simulator: The one to use; found where None.

    Raises:
        InputError: The folder has no RTL, its description is damaged, or the features do not fit it.
        MissingExtraError: No simulator is installed.
        ToolFailedError: A tool failed, or valid out does not follow valid in.
    """
    description, inputs, outputs = _described(folder)
    if features.ndim != 2 or features.shape[1] != len(inputs) or not len(features):
        raise InputError(f"features of shape {features.shape} do not fit {len(inputs)} input words")
    simulator = simulator or find_simulator(description["language"])
    with tempfile.TemporaryDirectory(prefix="nas_fpga_rtl_") as name:
        scratch = Path(name)
        played = write_stimulus(scratch / "stimulus.txt", pack(inputs, features), bus_bits(inputs))
        (scratch / "expected.txt").write_text("")  # the test bench need not compare: that is done here
        message(f"building the simulation of {description['top']} with {simulator.name}")
        start = time.monotonic()
        command = simulator.build(folder.resolve(), description, scratch, message)
        built = time.monotonic()
        message(f"simulating {len(features)} events")
        run(command, scratch, f"simulating {folder}", message=message)
        run_s = time.monotonic() - built
        cycles, results = read_outputs(scratch / "outputs.txt")
    if len(cycles) != len(features):
        raise ToolFailedError(f"{len(features)} events went in, {len(cycles)} valid outputs came out")
    latencies = np.subtract(cycles, played)
    if np.ptp(latencies):
        raise ToolFailedError(f"the latency varies from {latencies.min()} to {latencies.max()} cycles")
    width = bus_bits(outputs)
    decides = description["decision"]["kind"] != "none"
    return RtlSimulation(
        outputs=unpack(outputs, results),
        decisions=np.array([bool(result >> width) for result in results]) if decides else None,
        latency_cycles=int(latencies[0]),
        ii_cycles=int(np.diff(cycles).min()) if len(cycles) > 1 else 1,
        simulator=simulator.name,
        build_s=built - start,
        run_s=run_s,
    )


def _described(folder: Path) -> tuple[dict[str, Any], tuple[Word, ...], tuple[Word, ...]]:
    """Return what a folder says of its RTL, and the words of its inputs and outputs.

    Raises:
        InputError: It says nothing, or that is damaged.
    """
    path = folder / "rtl.json"
    if not path.is_file():
        raise InputError(f"{folder} has no rtl.json; export it with --rtl first")
    try:
        description: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        inputs, outputs = (tuple(word_of_json(word) for word in description[name]) for name in ("inputs", "outputs"))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}); export it with --rtl again") from error
    return description, inputs, outputs

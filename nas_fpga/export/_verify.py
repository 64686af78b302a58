"""Proves a project: what lies in its folder against its Keras model, bit for bit."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga._process import ToolFailedError
from nas_fpga.errors import InputError
from nas_fpga.export._cpp import generated_adders, run_cpp
from nas_fpga.export._events import VerificationEvents
from nas_fpga.export._project import keras_outputs
from nas_fpga.export._record import changed_files, read_record, write_record
from nas_fpga.export._verification import Proof, Verification
from nas_fpga.models import load_keras
from nas_fpga.training import QuantizedNetwork

# Adders of generated C++ above which RTL simulation is the default proof: g++ then takes more than a minute and a half.
MOST_ADDERS = 2000
_FLOAT32_BITS = 24


def verify(folder: Path, *, proof: Proof | None, message: Callable[[str], None]) -> Verification:
    """See :func:`nas_fpga.export.verify`."""
    record = read_record(folder)
    proof = _proof(folder, record, proof, message)
    events = VerificationEvents.load(folder / "events.npz")
    model = load_keras(folder / "model.keras")
    n_outputs = 1 if len(record["classes"]) == 2 else len(record["classes"])
    if model.input_shape != (None, events.features.shape[1]) or model.output_shape != (None, n_outputs):
        raise InputError(
            f"{folder}: model.keras maps {model.input_shape[1:]} to {model.output_shape[1:]}, the project "
            f"({events.features.shape[1]},) to ({n_outputs},); export it again"
        )
    expected = keras_outputs(model, events.features)
    integers, rounds = None, False
    if record["candidate"] is not None:
        network = QuantizedNetwork.load(folder / "network.npz")
        integers, rounds = network.logits(events.features), max(network.accumulator_bits()) > _FLOAT32_BITS
    changed = changed_files(folder, record)
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        message(f"{folder}: {changed[0]}{more} not as exported")
    started = time.monotonic()
    latency = stated = None
    try:
        if proof == "cpp":
            run = run_cpp(folder / "hls", events.features, n_outputs, message=message)
            outputs, tool = run.outputs, run.compiler
        else:
            from nas_fpga.export._rtl import simulate_rtl

            simulation = simulate_rtl(folder / "rtl", events.features, message=message)
            outputs, tool = simulation.outputs, simulation.simulator
            latency, stated = simulation.latency_cycles, int(record["rtl"]["latency_cycles"])
            if record["rtl"]["decision"]["kind"] != "none":
                if simulation.decisions is None:
                    raise InputError(f"{folder}: rtl.json has no decision, design.json has one; export it again")
                # one more output to compare: the decision, against that of Keras at the working point
                asked = float(record["threshold"])
                outputs = np.column_stack([outputs, simulation.decisions])
                expected = np.column_stack([expected, expected[:, 0] >= asked])
                if integers is not None:
                    integers = np.column_stack([integers, integers[:, 0] >= asked])
    except ToolFailedError:
        _write(folder, record | {"verification": None}, message)  # what was proven before is not what lies there now
        raise
    found = Verification(
        proof=proof,
        tool=tool,
        events=len(outputs),
        real_events=events.n_real,
        outputs=outputs.size,
        distinct_outputs=len(np.unique(expected, axis=0)),
        differing=_differing(outputs, expected),
        largest_difference=float(np.abs(outputs - expected).max(initial=0.0)),
        wall_time_s=time.monotonic() - started,
        latency_cycles=latency,
        stated_latency_cycles=stated,
        integers_differing=None if integers is None else _differing(outputs, integers),
        float32_rounds=rounds,
    )
    outcome = asdict(found) | {
        "passed": found.passed,
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "changed_since_export": changed,
    }
    _write(folder, record | {"verification": outcome}, message)
    return found


def _write(folder: Path, record: dict[str, Any], message: Callable[[str], None]) -> None:
    try:
        write_record(folder, record)
    except OSError as error:  # a read-only copy can be verified all the same
        message(f"{folder}: the outcome is not recorded there ({error.strerror})")


def _proof(folder: Path, record: dict[str, Any], asked: Proof | None, message: Callable[[str], None]) -> Proof:
    """Return what is run: as asked, else C++ where it is there and compiles within minutes."""
    hls, rtl = record["hls"], record["rtl"]
    if asked == "rtl" and rtl is None:
        raise InputError(f"{folder} has no rtl/; leave --proof out, or export with --rtl verilog")
    if asked == "cpp" and hls is None:
        raise InputError(f"{folder} has no hls/; leave --proof out, or export without --rtl")
    if hls is None:
        return "rtl"
    if not hls["verifiable"]:
        raise InputError(
            f"{folder} is for {hls['backend']}, which cannot be run here; export with --backend vitis to verify"
        )
    if asked is not None:
        return asked
    adders = generated_adders(folder / "hls")
    if rtl is not None and adders > MOST_ADDERS:
        message(
            f"{folder}: {adders:,} adders would compile for about {compile_time_s(adders) / 60:.0f} minutes: "
            "the RTL of the same network is simulated; --proof cpp compiles"
        )
        return "rtl"
    return "cpp"


def compile_time_s(adders: int) -> float:
    """Return seconds that g++ needs for the adders of a distributed-arithmetic project, right within a factor of two.

    Drawn by eye through g++ 12 on a shared machine: 78 adders 8 s, 223 18 s, 722 15 s, 580 28 s (of the CPU), and
    7,437 not within 600 s.
    """
    return 8 + 0.02 * adders + 1e-5 * adders**2


def _differing(got: NDArray[np.float64], expected: NDArray[np.float64]) -> int:
    if got.shape != expected.shape:
        raise InputError(f"outputs of shapes {got.shape} and {expected.shape} in one project; export it again")
    return int(np.count_nonzero(got != expected))

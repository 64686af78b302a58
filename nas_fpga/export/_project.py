"""Writes a design as a folder: model, events, figures and README around an HLS project or RTL."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga._quiet import captured
from nas_fpga.errors import InputError
from nas_fpga.export._build_scripts import write_build_scripts
from nas_fpga.export._cpp import generated_adders
from nas_fpga.export._design import Design
from nas_fpga.export._events import verification_events
from nas_fpga.export._hls import VERIFIABLE, HlsProject, write_hls
from nas_fpga.export._record import RECORD, describe, fingerprints, rtl_figures, write_record
from nas_fpga.hardware import Mapping, estimate

_VECTORS = 200  # events of the test bench: C simulation takes seconds, co-simulation minutes
_OURS = ("README.md", "design.json", "model.keras", "network.npz", "events.npz", "hls", "rtl")

Message = Callable[[str], None]


def write(
    design: Design,
    folder: Path,
    *,
    backend: str,
    rtl: Any,
    decision: Any,
    force: bool,
    message: Message,
) -> None:
    """See :func:`nas_fpga.export.export`."""
    if rtl is None and decision != "none":
        raise InputError(f"--decision {decision} is a port of the RTL; give --rtl verilog or vhdl with it")
    _check_place(folder, force=force)
    if rtl is not None:
        design = _as_adder_graph(design, message)
    if design.figures is not None and (violations := design.figures.violations(design.target)):
        message(f"{folder}: over the limits: {', '.join(violations)}")
    with _staged(folder) as stage:
        events = verification_events(design.events, design.network.input_format if design.network else None)
        record = describe(design, events)
        with captured():
            design.model.save(stage / "model.keras")
        if design.network is not None:
            design.network.save(stage / "network.npz")
        events.save(stage / "events.npz")
        if rtl is None:
            vectors = events.features[:_VECTORS]
            project = write_hls(design, backend, stage / "hls", (vectors, keras_outputs(design.model, vectors)))
            write_build_scripts(stage / "hls", backend, design.target.clock_ns)
            record["hls"] = _hls_record(project, backend, stage / "hls")
            for line in decisions(record):
                message(line)
        if rtl is not None or (design.mapping.strategy == "distributed_arithmetic" and backend in VERIFIABLE):
            from nas_fpga.export._rtl import write_rtl

            with captured():
                record["rtl"] = write_rtl(design, stage / "rtl", language=rtl or "verilog", decision=decision)
            record["figures"] |= rtl_figures(record["rtl"])
        record["files_sha256"] = fingerprints(stage)
        write_record(stage, record)
    proof = f"prove it with: nas-fpga verify {shlex.quote(str(folder))}"
    if rtl is None and backend not in VERIFIABLE:
        proof = f"written, not verified: the {backend} tools are needed to run this project"
    message(f"{folder}: {design.title}, {design.mapping}; {proof}")


def keras_outputs(model: Any, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what Keras says of raw features, `(n, n_outputs)`."""
    with captured():
        outputs: NDArray[np.float64] = np.asarray(model.predict(features, batch_size=1024, verbose=0), np.float64)
    return outputs.reshape(len(features), -1)


def decisions(record: dict[str, Any]) -> list[str]:
    """Return one line for every reuse factor that hls4ml moved, and for what it said of its own accord."""
    hls = record["hls"]
    lines = [
        f"hls4ml moved the reuse factor of {layer['name']} ({layer['n_in']} x {layer['n_out']}) from "
        f"{layer['asked_reuse_factor']} to {layer['reuse_factor']}"
        for layer in hls["layers"]
        if layer["asked_reuse_factor"] != layer["reuse_factor"]
    ]
    asked = record["mapping"]["strategy"]
    lines += [
        f"hls4ml builds {layer['name']} with strategy {layer['strategy']}, not {asked}"
        for layer in hls["layers"]
        if layer["strategy"].lower() != asked
    ]
    return lines + [f"hls4ml: {line}" for line in hls["warnings"] if "Invalid ReuseFactor" not in line]


def _hls_record(project: HlsProject, backend: str, folder: Path) -> dict[str, Any]:
    uncertainty = None
    if (folder / "project.tcl").exists():
        words = [line.split() for line in (folder / "project.tcl").read_text().splitlines()]
        uncertainty = next((line[2] for line in words if line[:2] == ["set", "clock_uncertainty"]), None)
    return asdict(project) | {
        "backend": backend,
        "verifiable": backend in VERIFIABLE,
        "clock_uncertainty": uncertainty,
        "adders": generated_adders(folder),
    }


def _as_adder_graph(design: Design, message: Message) -> Design:
    """Return the design as RTL is built: da4ml's adder graph, with the figures of that mapping."""
    if design.mapping.strategy == "distributed_arithmetic":
        return design
    mapping = Mapping("distributed_arithmetic", (1,) * len(design.mapping.reuse_factors))
    message(f"RTL is an adder graph: mapping {mapping} in place of {design.mapping}, its figures estimated anew")
    figures = estimate(design.network, mapping, design.target) if design.network is not None else None
    return replace(design, mapping=mapping, figures=figures)


def _check_place(folder: Path, *, force: bool) -> None:
    """Refuse to write over what is not ours.

    Raises:
        InputError: The folder holds something else, or is a file.
    """
    if folder.is_file():
        raise InputError(f"--to {folder} is a file; give a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / RECORD).exists() and not force:
        raise InputError(
            f"--to {folder} is not empty and no project of nas-fpga; give another, or --force to write into it"
        )


@contextlib.contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """Yield a folder whose entries replace those of ``folder`` once all are written; a failure leaves the old ones."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--to {folder} cannot be made ({error.strerror}); give another folder") from error
    scratch = Path(tempfile.mkdtemp(dir=folder, prefix=".writing-"))
    try:
        yield scratch
        for name in _OURS:
            old = folder / name
            if old.is_dir():
                shutil.rmtree(old)
            else:
                old.unlink(missing_ok=True)
            if (scratch / name).exists():
                (scratch / name).rename(old)
    finally:
        shutil.rmtree(scratch)
        with contextlib.suppress(OSError):
            folder.rmdir()  # gone again if nothing was written

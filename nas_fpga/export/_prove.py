"""Proves a front: its networks as RTL, simulated on real events and synthesised, beside what was estimated."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nas_fpga._process import ToolFailedError
from nas_fpga.errors import InputError
from nas_fpga.export._project import write
from nas_fpga.export._record import read_record
from nas_fpga.export._select import design_of_point
from nas_fpga.export._verify import verify
from nas_fpga.hardware import (
    MOST_SYNTHESIS_LUTS,
    CellCounts,
    Figure,
    Target,
    carried_from_synthesis,
    synthesise,
    yosys_family,
)
from nas_fpga.study import FrontRow, StudyOutcome

PROOF = "proof.json"  # in the study's folder


@dataclass(frozen=True)
class PointProof:
    """What is proven of one point of a front.

    Attributes:
        point: Its name.
        network: Its topology and bits, in words.
        mapping: How it is laid on the FPGA.
        error: Its figure of merit on validation.
        estimated: LUTs as the front has them.
        synthesised: LUTs of logic synthesis, carried to the same stage; the original is what Yosys counted. None where
            it was not synthesised.
        cells: All that Yosys counted.
        events: Events of which RTL was simulated, edge cases and at least 1,000 real ones.
        outputs: Outputs that were compared with Keras, bit for bit.
        differing: Of these; None where nothing was simulated.
        wall_time_s: Of all.
        cause: Why it is not proven; empty where it is.
    """

    point: str
    network: str
    mapping: str
    error: float
    estimated: Figure
    synthesised: Figure | None
    cells: CellCounts | None
    events: int
    outputs: int
    differing: int | None
    wall_time_s: float
    cause: str


def prove(outcome: StudyOutcome, *, message: Callable[[str], None]) -> tuple[PointProof, ...]:
    """Return the proofs of all points of a front, cheapest first; see :func:`nas_fpga.export.prove`."""
    kept = _kept(outcome.folder / PROOF, outcome)
    found: list[PointProof] = []
    for number, row in enumerate(outcome.front, 1):
        cause = _unproven(row)
        if row.point.name in kept:
            proof = _carried_anew(kept[row.point.name], row, outcome.setup.target)
        elif cause:
            proof = _proof(row, cause=cause)
        else:
            message(f"{number} of {len(outcome.front)}: {row.point.name}, {row.trial.name_of(row.point)}")
            proof = _prove_point(outcome, row, message)
        found.append(proof)
        _keep(outcome, found)
    return tuple(found)


def reversals(proofs: Sequence[PointProof]) -> tuple[tuple[str, str], ...]:
    """See :func:`nas_fpga.export.reversals`."""
    known = [(proof.estimated.value, proof.synthesised.value, proof.point) for proof in proofs if proof.synthesised]
    return tuple(
        (cheaper[2], dearer[2])
        for cheaper, dearer in itertools.combinations(sorted(known), 2)
        if cheaper[0] < dearer[0] and cheaper[1] > dearer[1]
    )


def _unproven(row: FrontRow) -> str:
    mapping, lut = row.point.mapped.mapping, row.point.mapped.figures.lut.value
    if mapping.strategy != "distributed_arithmetic":
        return f"mapping {mapping} has no RTL here"
    if lut > MOST_SYNTHESIS_LUTS:
        return f"{lut:,.0f} LUT are more than {MOST_SYNTHESIS_LUTS:,}"
    return ""


def _prove_point(outcome: StudyOutcome, row: FrontRow, message: Callable[[str], None]) -> PointProof:
    started = time.monotonic()
    folder, target = outcome.folder / "proof" / row.point.name, outcome.setup.target
    cells, synthesised = None, None
    design = design_of_point(outcome, row.point.name)
    try:
        write(design, folder, backend="vitis", rtl="verilog", decision="none", force=True, message=message)
    except InputError as error:  # of a network that is constant there is nothing to build
        return _proof(row, cause=str(error), wall_time_s=time.monotonic() - started)
    try:
        verified = verify(folder, proof="rtl", message=message)
        description = read_record(folder)["rtl"]
        files = [folder / "rtl" / name for name in description["files"]["sources"]]
        cells = synthesise(files, description["top"], yosys_family(target.part), message=message)
        synthesised = carried_from_synthesis(cells.lut, row.point.mapped.figures.lut, target)
    except ToolFailedError as error:
        return _proof(row, cause=str(error), wall_time_s=time.monotonic() - started)
    cause = "" if verified.passed else f"{verified.differing} of {verified.outputs} outputs differ"
    return _proof(
        row,
        synthesised=synthesised,
        cells=cells,
        events=verified.events,
        outputs=verified.outputs,
        differing=verified.differing,
        wall_time_s=time.monotonic() - started,
        cause=cause,
    )


def _proof(
    row: FrontRow,
    *,
    cause: str,
    synthesised: Figure | None = None,
    cells: CellCounts | None = None,
    events: int = 0,
    outputs: int = 0,
    differing: int | None = None,
    wall_time_s: float = 0.0,
) -> PointProof:
    return PointProof(
        point=row.point.name,
        network=row.trial.name_of(row.point),
        mapping=str(row.point.mapped.mapping),
        error=row.point.error,
        estimated=row.point.mapped.figures.lut,
        synthesised=synthesised,
        cells=cells,
        events=events,
        outputs=outputs,
        differing=differing,
        wall_time_s=wall_time_s,
        cause=cause,
    )


def _carried_anew(proof: PointProof, row: FrontRow, target: Target) -> PointProof:
    """Return a kept proof at the stage of ranking and by the calibration of this outcome; what was counted stays."""
    estimated = row.point.mapped.figures.lut
    synthesised = carried_from_synthesis(proof.cells.lut, estimated, target) if proof.cells is not None else None
    return replace(proof, estimated=estimated, synthesised=synthesised)


def _keep(outcome: StudyOutcome, proofs: Sequence[PointProof]) -> None:
    """Write proofs beside those of other points, and of the same ones on other parts and at other clocks."""
    path = outcome.folder / PROOF
    partial = path.with_suffix(".partial")
    part, clock_ns = outcome.setup.target.part.name, outcome.setup.target.clock_ns
    found = _all_kept(path) | {(part, clock_ns, proof.point, proof.mapping): proof for proof in proofs}
    points = [{"part": part, "clock_ns": clock_ns} | asdict(proof) for (part, clock_ns, *_), proof in found.items()]
    partial.write_text(json.dumps({"points": points}, indent=2) + "\n")
    partial.replace(path)


def _kept(path: Path, outcome: StudyOutcome) -> dict[str, PointProof]:
    """Return what an earlier run proved of the same points on the same part at the same clock."""
    part, clock_ns = outcome.setup.target.part.name, outcome.setup.target.clock_ns
    found, kept = _all_kept(path), {}
    for row in outcome.front:
        proof = found.get((part, clock_ns, row.point.name, str(row.point.mapped.mapping)))
        if proof is not None and not proof.cause:
            kept[row.point.name] = proof
    return kept


def _all_kept(path: Path) -> dict[tuple[str, float, str, str], PointProof]:
    """Return all that earlier runs wrote, by part, clock, point and mapping."""
    if not path.is_file():
        return {}
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        found = {}
        for entry in content["points"]:  # at first part and clock stood once, for all of them
            part, clock_ns = (entry.pop(name, content.get(name)) for name in ("part", "clock_ns"))
            found[part, clock_ns, entry["point"], entry["mapping"]] = _of_json(entry)
    except (ValueError, KeyError, TypeError):
        return {}  # half written or of another version: proven anew
    return found


def _of_json(entry: dict[str, Any]) -> PointProof:
    figures = {
        name: entry[name] and Figure(**entry[name] | {"original": _pair(entry[name]["original"])})
        for name in ("estimated", "synthesised")
    }
    return PointProof(**entry | figures | {"cells": entry["cells"] and CellCounts(**entry["cells"])})


def _pair(original: list[Any] | None) -> Any:
    return None if original is None else tuple(original)

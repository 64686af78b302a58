"""Exports and verifies points of a finished study: ``python -m benchmarks.export.verified_points runs/hgcal-2000-1``.

Three points of different depth and bits, each for Vitis and for Vivado, in the Latency and the Resource strategy, one
of them in distributed arithmetic too, and two as RTL with their wrapper. Writes ``verified_points.csv``, one line a
project, and ``verified_points.json`` with where it comes from. A line is kept once it is there, so that the command can
be stopped and run again; ``--again`` starts anew. The times are of this run alone, one project at a time.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks._provenance import provenance
from nas_fpga.errors import NasFpgaError
from nas_fpga.export import Backend, RtlLanguage, design_of_point, export, find_point, verify
from nas_fpga.hardware import Mapping, Strategy, allowed_reuse_factors
from nas_fpga.space import format_network
from nas_fpga.study import StudyOutcome, read_outcome

HERE = Path(__file__).parent
TABLE = HERE / "verified_points.csv"
SUMMARY = HERE / "verified_points.json"

_REUSE_AIM = 8  # of the Resource projects; every layer takes its nearest allowed one


@dataclass(frozen=True)
class Case:
    """One project: a point, and how it is written."""

    point: str
    strategy: Strategy
    backend: Backend = "vitis"
    rtl: RtlLanguage | None = None

    def __str__(self) -> str:
        """`17.0 vivado resource`."""
        return f"{self.point} {self.rtl or self.backend} {self.strategy}"


def cases(points: Sequence[str]) -> list[Case]:
    """Return what is exported of three points, cheap ones first."""
    if len(points) != 3:
        raise ValueError(f"{len(points)} points, expected 3")
    found = [
        Case(point, strategy, backend)
        for point in points
        for backend in ("vitis", "vivado")
        for strategy in ("latency", "resource")
    ]
    found += [Case(point, "distributed_arithmetic", rtl="verilog") for point in points]
    return [*found, Case(points[0], "distributed_arithmetic")]


def measure(outcome: StudyOutcome, case: Case) -> dict[str, Any]:
    """Export and verify one project in a folder that is deleted afterwards."""
    shapes = _shapes(outcome, case.point)
    mapping = Mapping(case.strategy, tuple(_reuse_factor(*shape, case.strategy) for shape in shapes))
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        started = time.perf_counter()
        design = design_of_point(outcome, case.point, mapping=mapping)
        export(design, project, backend=case.backend, rtl=case.rtl, message=_silent)
        exported = time.perf_counter()
        found = verify(project, message=_silent)
    network = design.network
    return {
        "case": str(case),
        "network": format_network(network.candidate, network.topology) if network else "",
        "mapping": str(mapping),
        "project": f"RTL, {case.rtl}" if case.rtl else f"HLS, {case.backend}",
        "tool": found.tool,
        "events": found.events,
        "real_events": found.real_events,
        "outputs": found.outputs,
        "differing": found.differing,
        "largest_difference": found.largest_difference,
        "differing_from_integers": found.integers_differing,
        "latency_cycles": found.latency_cycles,
        "stated_latency_cycles": found.stated_latency_cycles,
        "passed": found.passed,
        "export_s": round(exported - started, 1),
        "verify_s": round(found.wall_time_s, 1),
    }


def _silent(_text: str) -> None:
    return


def _shapes(outcome: StudyOutcome, point: str) -> list[tuple[int, int]]:
    trial, found = find_point(outcome, point)
    dataset = outcome.setup.dataset
    return list(itertools.pairwise((dataset.features.shape[1], *trial.topology_of(found), dataset.n_outputs)))


def _reuse_factor(n_in: int, n_out: int, strategy: Strategy) -> int:
    if strategy != "resource":
        return 1
    above_one = [factor for factor in allowed_reuse_factors(n_in, n_out) if factor > 1]
    return min(above_one, key=lambda factor: abs(factor - _REUSE_AIM), default=1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, help="folder of a finished study")
    parser.add_argument("--points", nargs=3, required=True, help="three points of it, such as 15.0 10.0 42.0")
    parser.add_argument("--again", action="store_true", help="measure what is in the table already too")
    options = parser.parse_args(arguments)
    origin = provenance()  # before the table changes
    try:
        outcome = read_outcome(options.study)
        rows = [] if options.again or not TABLE.exists() else list(csv.DictReader(TABLE.open(encoding="utf-8")))
        for case in cases(options.points):
            if str(case) not in {row["case"] for row in rows}:
                rows.append(measure(outcome, case))
                print(f"{case}: {rows[-1]['differing']} of {rows[-1]['outputs']} differ, {rows[-1]['verify_s']} s")
                _write(rows, options, origin)
    except NasFpgaError as error:
        sys.exit(str(error))


def _write(rows: Sequence[dict[str, Any]], options: argparse.Namespace, origin: dict[str, object]) -> None:
    with TABLE.open("w", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    summary = origin | {
        "command": f"python -m benchmarks.export.verified_points {options.study} --points {' '.join(options.points)}",
        "projects": len(rows),
        "outputs": sum(int(row["outputs"]) for row in rows),
        "differing": sum(int(row["differing"]) for row in rows),
    }
    SUMMARY.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

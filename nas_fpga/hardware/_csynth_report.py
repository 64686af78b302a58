"""Reads the reports of C synthesis by Vivado HLS and Vitis HLS: `csynth.xml` and `NAME_csynth.rpt`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from nas_fpga.hardware._figures import Figure, Stage
from nas_fpga.hardware._report_text import FigureSource, ReportedResources, ReportText, agreed_stage, row_cells

_CURE = "give the whole report of csynth_design"
# What the tools write for a number of cycles that depends on the data: XML, text.
_UNKNOWN_CYCLES = ("undef", "?")


@dataclass(frozen=True)
class CSynthReport:
    """What C synthesis estimates, stage `csynth`.

    Attributes:
        tool: With its version; XML does not say whether it was Vivado or Vitis HLS.
        part: As the report names it.
        top: The function that was synthesised.
        used: What it takes.
        available: What the part has.
        latency_best_cycles: Fewest clock cycles of one call; None where that depends on the data.
        latency_worst_cycles: Most clock cycles of one call; None where that depends on the data.
        ii_min_cycles: Fewest clock cycles between two calls; None where that depends on the data.
        ii_max_cycles: Most clock cycles between two calls; None where that depends on the data.
        target_clock_ns: The period that was asked for.
        estimated_clock_ns: The period that is expected, without the uncertainty.
        clock_uncertainty_ns: What was kept free of the target for what comes after C synthesis.
    """

    tool: str
    part: str
    top: str
    used: ReportedResources
    available: ReportedResources
    latency_best_cycles: Figure | None
    latency_worst_cycles: Figure | None
    ii_min_cycles: Figure | None
    ii_max_cycles: Figure | None
    target_clock_ns: Figure
    estimated_clock_ns: Figure
    clock_uncertainty_ns: Figure


def read_csynth_xml(path: Path, text: str, stage: Stage | None) -> CSynthReport:
    """Read `csynth.xml` or `NAME_csynth.xml`."""
    report = ReportText(path, text, _CURE)
    try:
        # It begins with <profile>: there is no document type, so no entity that could expand.
        root = ElementTree.fromstring(text)  # noqa: S314
    except ElementTree.ParseError as error:
        raise report.error(f"it is no whole XML ({error})") from error

    def value(key: str) -> str:
        found = (root.findtext(key) or "").strip()
        if not found:
            raise report.error(f"it has no {key}")
        return found

    assignments, estimates = "UserAssignments/", "PerformanceEstimates/"
    timing, latency = estimates + "SummaryOfTimingAnalysis/", estimates + "SummaryOfOverallLatency/"
    for key, unit in ((assignments, "ns"), (timing, "ns"), (latency, "clock cycles")):
        if value(key + "unit") != unit:
            raise report.error(f"{key}unit is {value(key + 'unit')!r}, known is {unit!r}")
    return _csynth_report(
        report,
        agreed_stage(report, "csynth", stage),
        tool=f"HLS {value('ReportVersion/Version')}",
        part=value(assignments + "Part"),
        top=value(assignments + "TopModelName"),
        used=_children(report, root, "AreaEstimates/Resources"),
        available=_children(report, root, "AreaEstimates/AvailableResources"),
        cycles=[
            value(latency + key) for key in ("Best-caseLatency", "Worst-caseLatency", "Interval-min", "Interval-max")
        ],
        clocks_ns=[
            value(assignments + "TargetClockPeriod"),
            value(timing + "EstimatedClockPeriod"),
            value(assignments + "ClockUncertainty"),
        ],
    )


def read_csynth_text(path: Path, text: str, stage: Stage | None) -> CSynthReport:
    """Read `NAME_csynth.rpt`."""
    report = ReportText(path, text, _CURE)
    tool = report.find(r"== (\w+ HLS) Report for '", "tool")
    version = report.find(r"[*] Version: +(\S+)", "Version")
    columns, *rows = _table(report, "== Utilization Estimates")
    utilization = {row[0]: _row(report, row[0], columns, row) for row in rows}
    for key in ("Total", "Available"):
        if key not in utilization:
            raise report.error(f"its utilization has no row {key}")
    return _csynth_report(
        report,
        agreed_stage(report, "csynth", stage),
        tool=f"{tool} {version}",
        part=report.find(r"[*] Target device: +(\S+)", "Target device"),
        top=report.find(r"== \w+ HLS Report for '(.+)'", "top function"),
        used=utilization["Total"],
        available=utilization["Available"],
        cycles=_text_cycles(report),
        clocks_ns=_text_clocks_ns(report),
    )


def _csynth_report(
    report: ReportText,
    stage: Stage,
    *,
    tool: str,
    part: str,
    top: str,
    used: Mapping[str, str],
    available: Mapping[str, str],
    cycles: list[str],
    clocks_ns: list[str],
) -> CSynthReport:
    """Return the report of numbers that are still text; those of cycles and clocks in the order of its fields."""
    source = FigureSource(tool, stage, report.path)
    best, worst, least, most = (
        None if text in _UNKNOWN_CYCLES else source.figure(report.count(text, key), "cycles")
        for text, key in zip(
            cycles, ("best latency", "worst latency", "least interval", "greatest interval"), strict=True
        )
    )
    target, estimated, uncertainty = (
        source.figure(report.number(text, key), "ns")
        for text, key in zip(clocks_ns, ("target clock", "estimated clock", "clock uncertainty"), strict=True)
    )
    # Only reports of parts with UltraRAM have it, and then twice.
    has_uram = "URAM" in used or "URAM" in available
    return CSynthReport(
        tool=tool,
        part=part,
        top=top,
        used=_resources(report, source, used, "used", has_uram),
        available=_resources(report, source, available, "available", has_uram),
        latency_best_cycles=best,
        latency_worst_cycles=worst,
        ii_min_cycles=least,
        ii_max_cycles=most,
        target_clock_ns=target,
        estimated_clock_ns=estimated,
        clock_uncertainty_ns=uncertainty,
    )


def _resources(
    report: ReportText, source: FigureSource, counts: Mapping[str, str], of: str, has_uram: bool
) -> ReportedResources:
    """Return resources by HLS's names for them; DSP was DSP48E until 2020."""
    return source.resources(
        lut=report.count(*report.cell(counts, "LUT", of=of)),
        ff=report.count(*report.cell(counts, "FF", of=of)),
        dsp=report.count(*report.cell(counts, "DSP", "DSP48E", of=of)),
        bram18=report.count(*report.cell(counts, "BRAM_18K", of=of)),
        uram=report.count(*report.cell(counts, "URAM", of=of)) if has_uram else None,
    )


def _children(report: ReportText, root: ElementTree.Element, key: str) -> dict[str, str]:
    parent = root.find(key)
    if parent is None:
        raise report.error(f"it has no {key}")
    return {child.tag: (child.text or "").strip() for child in parent}


def _table(report: ReportText, heading: str) -> list[list[str]]:
    """Return the rows of the first table after the line that begins with a heading."""
    lines = [line.strip() for line in report.text.splitlines()]
    start = next((number for number, line in enumerate(lines) if line.startswith(heading)), None)
    if start is None:
        raise report.error(f"it has no '{heading}'")
    rows: list[list[str]] = []
    for line in lines[start + 1 :]:
        cells = row_cells(line)
        if cells is not None:
            rows.append(cells)
        elif rows and not line.startswith("+-"):
            break
    if not rows:
        raise report.error(f"it has no table after '{heading}'")
    return rows


def _row(report: ReportText, name: str, columns: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(columns):
        raise report.error(f"row {name} has {len(cells)} cells, its table {len(columns)} columns")
    return dict(zip(columns, cells, strict=True))


def _text_cycles(report: ReportText) -> list[str]:
    """Return best and worst latency, least and greatest interval, all in cycles.

    Two rows name the columns: `Latency (cycles) | Latency (absolute) | Interval | Pipeline` and, two for each but the
    last, `min | max | min | max | min | max | Type`. Until 2019.1 `(clock cycles)` was in the heading and there was no
    absolute latency.
    """
    rows = _table(report, "+ Latency")
    if len(rows) != 3:
        raise report.error(f"its summary of latency has {len(rows)} rows, known are 3")
    groups = [group for group in rows[0] for _ in range(1 if group == "Pipeline" else 2)]
    columns = [f"{group} {name}" for group, name in zip(groups, rows[1], strict=False)]
    row = _row(report, "of latency", columns, rows[2])
    latency = "Latency" if "\n+ Latency (clock cycles):" in report.text else "Latency (cycles)"
    wanted = (f"{latency} min", f"{latency} max", "Interval min", "Interval max")
    return [report.cell(row, column, of="clock cycles")[0] for column in wanted]


def _text_clocks_ns(report: ReportText) -> list[str]:
    """Return target, estimate and uncertainty; their unit was in the heading until 2019.1, then in every cell."""
    columns, *clocks = _table(report, "+ Timing")
    if len(clocks) != 1:
        raise report.error(f"its summary of timing has {len(clocks)} clocks, known is 1")
    row = _row(report, "of timing", columns, clocks[0])
    texts = [report.cell(row, column, of="clock")[0] for column in ("Target", "Estimated", "Uncertainty")]
    if "\n+ Timing (ns):" in report.text:
        return texts
    if not all(text.endswith(" ns") for text in texts):
        raise report.error(f"its clocks are {', '.join(texts)}, known is ns")
    return [text.removesuffix(" ns") for text in texts]

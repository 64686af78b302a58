"""Reads the text that Vivado's `report_utilization` and `report_timing_summary` write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from nas_fpga.hardware._figures import Figure, Stage
from nas_fpga.hardware._report_text import FigureSource, ReportedResources, ReportText, agreed_stage, row_cells

# Design states in the headers of reports. Cells are final once they are placed, delays not before they are routed.
_LOGIC: dict[str, Stage] = dict.fromkeys(("Synthesized", "Optimized"), "vendor-synthesis")
_PLACED: dict[str, Stage] = dict.fromkeys(("Fully Placed", "Physopt postPlace"), "place-and-route")
_ROUTED: dict[str, Stage] = dict.fromkeys(("Routed", "Physopt postRoute"), "place-and-route")


@dataclass(frozen=True)
class UtilizationReport:
    """What a design takes, stage `vendor-synthesis` or `place-and-route`.

    Attributes:
        tool: With its version.
        part: As the report names it: some versions leave out `xc`, a dash or the speed grade.
        design: The top module.
        used: What it takes.
        available: What the part has.
    """

    tool: str
    part: str
    design: str
    used: ReportedResources
    available: ReportedResources


@dataclass(frozen=True)
class TimingReport:
    """What clock a design keeps, stage `vendor-synthesis` (with guessed wires) or `place-and-route`.

    Attributes:
        tool: With its version.
        part: As the report names it: some versions leave out `xc`; the speed grade is not in it.
        design: The top module.
        clock: The one that the worst slack is of.
        wns_ns: Worst negative slack of setup; above 0 where the clock is kept.
        requested_period_ns: Of that clock.
        achieved_period_ns: The shortest that it keeps, requested period less worst slack, if no path has a part of a
            period or several.
    """

    tool: str
    part: str
    design: str
    clock: str
    wns_ns: Figure
    requested_period_ns: Figure
    achieved_period_ns: Figure


def read_utilization(path: Path, text: str, stage: Stage | None) -> UtilizationReport:
    """Read `report_utilization`, after synthesis or later; hls4ml's `vivado_synth.rpt` is one."""
    report = ReportText(path, text, "write it again with report_utilization -file")
    tool, design, part = _header(report)
    source = FigureSource(tool, _stage(report, _LOGIC | _PLACED | _ROUTED, stage), path)
    return UtilizationReport(
        tool=tool,
        part=part,
        design=design,
        used=_resources(report, source, "Used"),
        available=_resources(report, source, "Available"),
    )


def read_timing(path: Path, text: str, stage: Stage | None) -> TimingReport:
    """Read `report_timing_summary`, after synthesis or after routing."""
    report = ReportText(path, text, "write it again with report_timing_summary -file, of a design with a clock")
    tool, design, part = _header(report)
    source = FigureSource(tool, _stage(report, _LOGIC | _ROUTED, stage), path)
    slack = _slack(*_section(report, "Design Timing Summary", "WNS(ns)")[:2])
    wns = report.number(slack, "WNS(ns)")
    clock, period = _clock_of_slack(report, slack)
    if wns >= period:
        raise report.error(f"its worst slack, {wns} ns, leaves nothing of the period of {clock}, {period} ns")
    return TimingReport(
        tool=tool,
        part=part,
        design=design,
        clock=clock,
        wns_ns=source.figure(wns, "ns"),
        requested_period_ns=source.figure(period, "ns"),
        achieved_period_ns=source.figure(round(period - wns, 6), "ns"),
    )


def _header(report: ReportText) -> tuple[str, str, str]:
    """Return tool with version, design and part."""
    tool = report.find(r"\| Tool Version +: (Vivado v\.\S+)", "Tool Version").replace(" v.", " ")
    design = report.find(r"\| Design +: (.*)", "Design")
    return tool, design, report.find(r"\| Device +: (.*)", "Device")


def _stage(report: ReportText, stages: dict[str, Stage], given: Stage | None) -> Stage:
    """Return the stage by the design state in the header; timing of older versions has none, there it must be given."""
    match = re.search(r"^\| Design State +: (.*)", report.text, re.MULTILINE)
    if match is None:
        if given is None or given not in stages.values():
            raise report.error(f"it has no Design State: give its stage, {' or '.join(dict.fromkeys(stages.values()))}")
        return given
    state = match[1].strip()
    if state not in stages:
        raise report.error(f"its Design State is '{state}', known are {', '.join(stages)}")
    return agreed_stage(report, stages[state], given)


def _site_cells(report: ReportText, column: str) -> dict[str, str]:
    """Return what stands in a column of the tables of site types, by the name of the row.

    Versions differ in the columns between `Used` and `Available`; tables by SLR have neither. Where logic is repeated,
    in the table of its distribution, it is the same.
    """
    found: dict[str, str] = {}
    columns: list[str] = []
    for line in report.text.splitlines():
        cells = row_cells(line)
        if cells is None:
            columns = columns if line.startswith("+-") else []
        elif cells[0] == "Site Type":
            columns = cells
        elif column in columns and len(cells) == len(columns):
            # An asterisk refers to a note below the table.
            found[cells[0].rstrip("*")] = cells[columns.index(column)]
    return found


def _resources(report: ReportText, source: FigureSource, column: str) -> ReportedResources:
    cells = _site_cells(report, column)
    tile, key = report.cell(cells, "Block RAM Tile", of=column)
    bram18 = 2 * report.number(tile, key)
    if bram18 % 1:
        raise report.error(f"{key} is {tile!r}, not a number of halves")
    return source.resources(
        lut=report.count(*report.cell(cells, "CLB LUTs", "Slice LUTs", of=column)),
        ff=report.count(*report.cell(cells, "CLB Registers", "Slice Registers", of=column)),
        dsp=report.count(*report.cell(cells, "DSPs", of=column)),
        bram18=int(bram18),
        uram=report.count(*report.cell(cells, "URAM", of=column)) if "URAM" in cells else None,
    )


def _section(report: ReportText, title: str, column: str) -> list[str]:
    """Return the row of column names and the rows of values of a section of a timing report."""
    match = re.search(
        rf"^\| {title}\n\| -+\n-+\n\n(.*{re.escape(column)}.*)\n[ -]+\n((?:.+\n)*)", report.text, re.MULTILINE
    )
    if match is None:
        raise report.error(f"it has no {title} with {column}")
    return [match[1], *match[2].splitlines()]


def _slack(columns: str, row: str = "") -> str:
    """Return what stands under WNS(ns), flush right; empty where a clock times no path."""
    end = columns.index("WNS(ns)") + len("WNS(ns)")
    match = re.search(r"\S+$", row[:end])
    return match[0] if match else ""


def _clock_of_slack(report: ReportText, slack: str) -> tuple[str, float]:
    """Return name and period of the clock that has the worst slack.

    Raises:
        InputError: None has it, as it is of a path from one clock to another, or several of different periods have.
    """
    of_clock = re.compile(r" *(\S+) +\{[^}]*\} +(\d+\.\d+) +\d+\.\d+ *")
    _, *rows = _section(report, "Clock Summary", "Period(ns)")
    periods = {match[1]: float(match[2]) for match in map(of_clock.fullmatch, rows) if match}
    columns, *rows = _section(report, "Intra Clock Table", "WNS(ns)")
    worst = [row.split()[0] for row in rows if _slack(columns, row) == slack]
    # Of clocks with one period the first stands for all.
    found = {periods[clock]: clock for clock in reversed(worst) if clock in periods}
    if len(found) != 1:
        raise report.error(
            f"its worst slack, {slack} ns, is that of {len(found)} periods in its Clock Summary, not of 1"
        )
    ((period, clock),) = found.items()
    return clock, period

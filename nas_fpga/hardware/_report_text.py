"""What the readers of vendor reports share: the text, its numbers, its resources, and errors that say what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nas_fpga.errors import InputError
from nas_fpga.hardware._figures import Figure, Stage, Unit


@dataclass(frozen=True)
class ReportText:
    """The text of one report.

    Attributes:
        path: Its file.
        text: What is in it.
        cure: What gives a whole report of its kind.
    """

    path: Path
    text: str
    cure: str

    def error(self, what: str) -> InputError:
        """Return the error that names the file, what is wrong and the cure, in one line."""
        return InputError(f"{self.path}: {what}; {self.cure}")

    def find(self, pattern: str, key: str) -> str:
        """Return the group of the first match of a pattern at the start of a line; `key` is its name in errors."""
        match = re.search(f"^{pattern}", self.text, re.MULTILINE)
        if match is None or not match[1].strip():
            raise self.error(f"it has no {key}")
        return match[1].strip()

    def number(self, text: str, key: str) -> float:
        """Return the number that is all of a text; its unit stands elsewhere in the report."""
        if not re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", text):
            raise self.error(f"{key} is {text!r}, not a number")
        return float(text)

    def count(self, text: str, key: str) -> int:
        """Return the number of things that is all of a text."""
        if not re.fullmatch(r"\d{1,15}", text):
            raise self.error(f"{key} is {text!r}, not a count")
        return int(text)

    def cell(self, cells: Mapping[str, str], *names: str, of: str) -> tuple[str, str]:
        """Return what stands under the first of some names that is there, and its key in errors."""
        for name in names:
            if name in cells:
                return cells[name], f"{name} ({of})"
        raise self.error(f"it has no {' or '.join(names)} ({of})")


@dataclass(frozen=True)
class FigureSource:
    """What all figures of one report have in common.

    Attributes:
        tool: With its version.
        stage: Of the figures.
        path: The file of the report.
    """

    tool: str
    stage: Stage
    path: Path

    def figure(self, value: float, unit: Unit) -> Figure:
        """Return a figure that was read, not estimated: its interval is its value."""
        return Figure(value, unit, self.stage, value, value, f"{self.tool}, {self.path.name}")

    def resources(self, *, lut: int, ff: int, dsp: int, bram18: int, uram: int | None) -> ReportedResources:
        """Return counts of resources with their units."""
        return ReportedResources(
            lut=self.figure(lut, "LUT"),
            ff=self.figure(ff, "FF"),
            dsp=self.figure(dsp, "DSP"),
            bram18=self.figure(bram18, "BRAM18"),
            uram=None if uram is None else self.figure(uram, "URAM"),
        )


@dataclass(frozen=True)
class ReportedResources:
    """What a design takes, or what its part has, as a report counts it.

    Attributes:
        lut: Look-up tables.
        ff: Flip-flops; Vivado counts latches among them.
        dsp: DSP slices.
        bram18: Block memories of 18 Kbit; a tile of Vivado's is two.
        uram: Memories of 288 Kbit; None where the report does not speak of them, as for parts that have none.
    """

    lut: Figure
    ff: Figure
    dsp: Figure
    bram18: Figure
    uram: Figure | None


def row_cells(line: str) -> list[str] | None:
    """Return the cells of a row `| a | b |` of a table; None where a line is none, or is cut."""
    line = line.strip()
    if len(line) < 2 or line[0] != "|" or line[-1] != "|":
        return None
    return [cell.strip() for cell in line[1:-1].split("|")]


def agreed_stage(report: ReportText, stated: Stage, given: Stage | None) -> Stage:
    """Return the stage that a report states; it is refused where the caller takes it for another."""
    if given not in (None, stated):
        raise report.error(f"its figures are of stage {stated}, not {given}")
    return stated

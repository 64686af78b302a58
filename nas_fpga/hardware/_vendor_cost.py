"""What a project costs by the reports of the vendor's tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from nas_fpga.hardware._csynth_report import CSynthReport
from nas_fpga.hardware._design_cost import AROUND, DesignCost, LayerCost
from nas_fpga.hardware._figures import RESOURCES
from nas_fpga.hardware._limits import Target
from nas_fpga.hardware._points import HardwareFigures
from nas_fpga.hardware._vendor import VendorStage, vendor_clock_ns, vendor_reports
from nas_fpga.hardware._vivado_report import TimingReport


def cost_by_vendor(
    folder: Path, stage: VendorStage, by_law: DesignCost, target: Target, *, message: Callable[[str], None]
) -> tuple[DesignCost, tuple[str, ...]]:
    """Return what a project costs by the reports of a stage, and what else they say.

    Figures are those of the stage, as they were read. What a report does not speak of, as Vivado's do not of cycles, is
    left to the law, as is how the design divides over its layers.

    Args:
        folder: See :func:`vendor_reports`.
        stage: See there; figures of `csynth` are never to be compared with those of `place-and-route`.
        by_law: What its network costs under its mapping by the static laws.
        target: Part, clock and rate; what takes time is at its clock, whatever that of the reports is.
        message: See :func:`vendor_reports`.

    Raises:
        InputError: See :func:`vendor_reports`.
        ToolFailedError: See there.
    """
    figures, notes = by_law.figures, []
    for report in vendor_reports(folder, stage, message=message):
        if isinstance(report, TimingReport):
            figures = replace(figures, period_ns=report.achieved_period_ns)
            continue
        figures = replace(figures, **{name: getattr(report.used, name) for name in RESOURCES})
        if isinstance(report, CSynthReport):
            figures = _with_cycles(figures, report, target)
        if target.part.device.removeprefix("xc") not in report.part.lower():
            notes.append(f"{report.used.lut.source}: of {report.part}; the limits are those of {target.part.name}")
    clock_ns = vendor_clock_ns(folder, stage, message=message)
    if clock_ns not in (None, target.clock_ns):
        notes.append(
            f"{folder}: its clock is {clock_ns:g} ns; latency in ns, copies and limits are at {target.clock_ns:g} ns"
        )
    layers = tuple(_part(layer, by_law.figures, figures) for layer in by_law.layers)
    return DesignCost(by_law.mapping, figures, layers), tuple(notes)


def _with_cycles(figures: HardwareFigures, report: CSynthReport, target: Target) -> HardwareFigures:
    """Return figures with the cycles of C synthesis, and what follows, where they do not depend on the data."""
    best, worst = report.latency_best_cycles, report.latency_worst_cycles
    if best is not None and worst is not None:
        cycles = replace(worst, low=best.value)
        ends = {name: getattr(cycles, name) * target.clock_ns for name in ("value", "low", "high")}
        figures = replace(figures, latency_cycles=cycles, latency_ns=replace(cycles, unit="ns", **ends))
    least, most = report.ii_min_cycles, report.ii_max_cycles
    if least is not None and most is not None:
        figures = replace(figures, ii_cycles=replace(most, low=least.value), copies=int(target.copies(most.value)))
    return figures


def _part(layer: LayerCost, by_law: HardwareFigures, read: HardwareFigures) -> LayerCost:
    """Return a part of the design: its share by the law, as unsure as that; what the law has none of is around."""
    found: dict[str, Any] = {}
    for name in RESOURCES:
        part, whole, figure = getattr(layer, name), getattr(by_law, name), getattr(read, name)
        if whole.value > 0:
            shares = (min(end / whole.value, 1.0) for end in (part.low, part.value, part.high))
            low, value, high = (figure.value * share for share in shares)
        else:
            low, value, high = 0.0, figure.value * (layer.name == AROUND), figure.value
        source = f"{figure.source}; divided as the law has it"
        found[name] = replace(figure, value=value, low=low, high=high, source=source)
    return replace(layer, **found)

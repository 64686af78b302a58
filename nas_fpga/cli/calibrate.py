"""`nas-fpga calibrate`: learns from a user's own reports how their stages differ."""

from __future__ import annotations

import json as json_module
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_fpga.cli import _options as options
from nas_fpga.cli._output import show, tell

if TYPE_CHECKING:
    from nas_fpga.hardware import Learned, StageRatio


def calibrate(
    reports: Annotated[
        list[Path],
        typer.Argument(
            metavar="REPORT...",
            help="Folders of projects, of nas-fpga export or hls4ml, in which all reports of csynth and "
            "report_utilization count; such reports alone, in their projects; or CSV tables with one design at one "
            "stage in a row: columns design, strategy, stage, lut, ff, dsp, bram18, and network where several designs "
            "are of one. An empty cell is not known.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="The file to share, and to name with --calibration.")] = Path(
        "calibration.json"
    ),
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Learn from your own reports by how much the stages of your tools differ; a few designs suffice.

    search, front, report and estimate take the file with --calibration: its ratios and intervals replace shipped ones.

    Stages: estimate (what the laws of nas-fpga say of place-and-route), adder-graph (da4ml's cost), csynth,
    logic-synthesis (Yosys), vendor-synthesis, place-and-route. A design needs two of them.

    nas-fpga calibrate designs/ --out our-flow.json
    """
    del debug

    from nas_fpga.calibration import calibrate as learned_of
    from nas_fpga.hardware import refuse_other_file, write_calibration

    refuse_other_file(out)
    learned = learned_of(reports, message=tell)
    write_calibration(learned.calibration, out)
    for line in learned.left_out:
        tell(line)
    if json:
        typer.echo(json_module.dumps(_as_json(learned, out), indent=2))
    else:
        _print(learned, out)


def _as_json(learned: Learned, out: Path) -> dict[str, object]:
    return {
        "file": str(out),
        "designs": list(learned.designs),
        "left_out": list(learned.left_out),
        "ratios": [
            {"learned": asdict(ratio), "shipped": asdict(_shipped(ratio))} for ratio in learned.calibration.ratios
        ],
    }


def _print(learned: Learned, out: Path) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("stage", "strategy"):
        table.add_column(heading, no_wrap=True)
    for heading in ("", "shipped", "[90 %]", "learned", "[90 %]", "networks", "sizes seen"):
        table.add_column(heading, justify="right", no_wrap=True)
    for ratio in learned.calibration.ratios:
        least, most = ratio.sizes or (0.0, 0.0)
        table.add_row(
            ratio.stage,
            str(ratio.strategy),
            ratio.resource.upper(),
            *_cells(_shipped(ratio)),
            *_cells(ratio),
            str(ratio.n_designs),
            f"{least:,.0f} - {most:,.0f}",
        )
    typer.echo(f"{len(learned.designs)} designs: place-and-route over what each stage counts")
    show(table)
    typer.echo(
        "90 %: of a further network. The fewer there are the nearer to what is shipped; one or two keep its interval.\n"
        "Beyond four times the sizes seen the interval is widened by the shipped one, and the figure says so.\n"
        f"Calibration: {out}"
    )


def _shipped(ratio: StageRatio) -> StageRatio:
    from nas_fpga.hardware import shipped_ratio

    return shipped_ratio(ratio.stage, ratio.strategy, ratio.resource)


def _cells(ratio: StageRatio) -> tuple[str, str]:
    factor = math.exp(ratio.spread)
    return f"{ratio.ratio:.3f}", f"[{ratio.ratio / factor:.3f}, {ratio.ratio * factor:.3f}]"

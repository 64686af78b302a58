"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer

_HARDWARE = "FPGA"
_STUDY = "Study"


class Objective(StrEnum):
    """The resource axis."""

    share = "share"
    lut = "lut"
    ff = "ff"
    dsp = "dsp"
    bram = "bram"
    latency = "latency"


Part = Annotated[
    str | None, typer.Option(help="FPGA part; the default is the Serenity board's.", rich_help_panel=_HARDWARE)
]
ClockNs = Annotated[float | None, typer.Option(help="Clock period in ns.", rich_help_panel=_HARDWARE)]
RateMhz = Annotated[
    float | None,
    typer.Option(
        help="Inferences per microsecond to sustain; designs are replicated for it. With time multiplexing: "
        "objects x 40 / period.",
        rich_help_panel=_HARDWARE,
    ),
]
Region = Annotated[
    str | None,
    typer.Option(
        help="What the design may fill: slr (one super logic region), part, or a share such as 5%.",
        rich_help_panel=_HARDWARE,
    ),
]
MaxLuts = Annotated[float | None, typer.Option(help="Most LUTs, all copies.", rich_help_panel=_HARDWARE)]
MaxFfs = Annotated[float | None, typer.Option(help="Most flip-flops.", rich_help_panel=_HARDWARE)]
MaxDsps = Annotated[float | None, typer.Option(help="Most DSPs; 0 for none.", rich_help_panel=_HARDWARE)]
MaxBrams = Annotated[float | None, typer.Option(help="Most BRAM18 blocks; 0 for none.", rich_help_panel=_HARDWARE)]
MaxLatencyNs = Annotated[float | None, typer.Option(help="Longest latency in ns.", rich_help_panel=_HARDWARE)]
Beside = Annotated[
    Path | None,
    typer.Option(
        help="Vivado's report_utilization of firmware that shares the part: limits are what it leaves.",
        rich_help_panel=_HARDWARE,
    ),
]
Fill = Annotated[
    str, typer.Option(help="With --beside: share of the part that both may fill.", rich_help_panel=_HARDWARE)
]
ObjectiveOption = Annotated[
    Objective | None,
    typer.Option(
        help="Resource axis: the largest share of the limits over LUT, FF, DSP and BRAM, or one of them, or latency.",
        rich_help_panel=_HARDWARE,
    ),
]


class RankStage(StrEnum):
    """Stages that count."""

    adder_graph = "adder-graph"
    logic_synthesis = "logic-synthesis"
    csynth = "csynth"
    vendor_synthesis = "vendor-synthesis"
    place_and_route = "place-and-route"


RankStageOption = Annotated[
    RankStage | None,
    typer.Option(
        help="Stage of the tools at which designs are compared with limits and each other; figures of other stages are "
        "carried there by measured ratios, which widen their intervals.",
        rich_help_panel=_HARDWARE,
    ),
]
CalibrationOption = Annotated[
    Path | None,
    typer.Option(
        "--calibration",
        help="File of nas-fpga calibrate: ratios between stages from your own reports.",
        rich_help_panel=_HARDWARE,
    ),
]
Study = Annotated[str | None, typer.Option(help="Name of the study.", rich_help_panel=_STUDY)]
Runs = Annotated[str, typer.Option(help="Folder that holds the studies.", rich_help_panel=_STUDY)]
Storage = Annotated[
    str | None,
    typer.Option(help="Optuna storage URL in place of runs/NAME/study.db.", rich_help_panel=_STUDY),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Prove = Annotated[
    bool,
    typer.Option(
        "--prove",
        help="Then simulate the front's RTL on real events, bit for bit, and synthesise it with Yosys; minutes.",
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]

HARDWARE = (
    "part",
    "clock_ns",
    "rate_mhz",
    "region",
    "max_luts",
    "max_ffs",
    "max_dsps",
    "max_brams",
    "max_latency_ns",
    "objective",
    "rank_stage",
    "calibration",
)
"""Names of the options that make a hardware target."""


def given(ctx: typer.Context) -> set[str]:
    """Return the names of the options that stand on the command line."""
    return {name for name in ctx.params if getattr(ctx.get_parameter_source(name), "name", "") == "COMMANDLINE"}


def hardware(ctx: typer.Context, of_study: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """Return the options of the hardware target on the command line; limits beside other firmware are among them.

    Args:
        ctx: Of the command.
        of_study: Those that hold where the command line has none, for what is left beside other firmware.

    Raises:
        InputError: ``--fill`` without ``--beside``, nothing is left beside that firmware, or the calibration is none.
    """
    stated = given(ctx)
    values = {name: plain(ctx.params[name]) for name in HARDWARE if name in stated}
    if "calibration" in stated:
        from nas_fpga.hardware import read_calibration

        values["calibration"] = read_calibration(values["calibration"])
    if "beside" in stated:
        from nas_fpga.hardware import room_beside

        return values | room_beside(ctx.params["beside"], ctx.params["fill"], **{**of_study, **values})
    if "fill" in stated:
        from nas_fpga.errors import InputError

        raise InputError(f"--fill {ctx.params['fill']} is for --beside; leave it out")
    return values


def absolute(data: str) -> str:
    """Return the absolute path of a data file, names of data sets as is."""
    from nas_fpga.study import absolute_name

    return absolute_name(data)


def plain(value: Any) -> Any:
    """Return the text of an enumeration's member, other values as they are."""
    return value.value if isinstance(value, Enum) else value


def existing_study(runs: Path, study: str | None, *, stored_elsewhere: bool = False) -> Path:
    """Return the folder of a study, the latest if none is named.

    Raises:
        StudyError: There is none, or the name is no plain name.
    """
    from nas_fpga.study import existing_study

    return existing_study(runs, study, stored_elsewhere=stored_elsewhere)

"""`nas-fpga report`: a study as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nas_fpga.cli import _options as options
from nas_fpga.cli._output import tell


def report(
    ctx: typer.Context,
    study: options.Study = None,
    to: Annotated[
        Path | None, typer.Option(help="The HTML file; front.png and front.csv go beside it.  [default: in the study]")
    ] = None,
    part: options.Part = None,
    clock_ns: options.ClockNs = None,
    rate_mhz: options.RateMhz = None,
    region: options.Region = None,
    max_luts: options.MaxLuts = None,
    max_ffs: options.MaxFfs = None,
    max_dsps: options.MaxDsps = None,
    max_brams: options.MaxBrams = None,
    max_latency_ns: options.MaxLatencyNs = None,
    objective: options.ObjectiveOption = None,
    rank_stage: options.RankStageOption = None,
    calibration: options.CalibrationOption = None,
    data: Annotated[str | None, typer.Option(help="Where the study's data file lies now, if it was moved.")] = None,
    runs: options.Runs = "runs",
    storage: options.Storage = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write a study as one HTML page that works offline, mapped anew under the limits given. Nothing is trained.

    Limits that are not given are those of the study. Without --study the latest one is meant, finished or not.
    """
    del debug
    values = options.hardware(ctx)

    from json import dumps

    from nas_fpga.errors import InputError
    from nas_fpga.report import write_report
    from nas_fpga.study import read_outcome

    folder = options.existing_study(Path(runs), study, stored_elsewhere=storage is not None)
    if to is not None and to.is_dir():
        raise InputError(f"--to {to} is a folder; name a file in it, such as {to / 'report.html'}")
    path = to or folder / "report.html"
    if values and path.parent.resolve() == folder.resolve():
        raise InputError(
            f"--to {path} would replace what the study itself has in {folder}; under other limits name a file elsewhere"
        )
    outcome = read_outcome(folder, storage, values, data=data and options.absolute(data), message=tell)
    write_report(outcome, path)
    if json:
        typer.echo(dumps({"study": folder.name, "report": str(path), "best": outcome.best.point.name}, indent=2))
    else:
        typer.echo(f"Report: {path}")

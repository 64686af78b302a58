"""`nas-fpga sweep`: one search for each of several budgets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nas_fpga.cli import _options as options
from nas_fpga.cli._search_options import search_values, takes_search_options


@takes_search_options(without=("budget", "include", "trials", "after", "verbose"))
def sweep(
    ctx: typer.Context,
    budgets: Annotated[
        str | None,
        typer.Option(
            help="Most hidden neurons of each search, ascending.  [default: 10,20,50,100,200,500,1000,2000]",
            rich_help_panel="Sweep",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(help="Candidates that each search trains.  [default: 40]", rich_help_panel="Sweep"),
    ] = None,
    *,
    name: Annotated[str | None, typer.Option(help="Of the sweep.", rich_help_panel="Study")] = None,
    runs: options.Runs = "runs",
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue a sweep (the latest, or --name NAME). Larger budgets may be added; else only --workers and "
            "the display may change.",
            rich_help_panel="Study",
        ),
    ] = False,
    json: options.Json = False,
    debug: options.Debug = False,
    **given: Any,
) -> None:
    """Search once for each of several budgets: how precise can networks of so many neurons be?

    Every search, a study in runs/NAME/budget-B, knows the trials of all smaller budgets from its start and trains none
    of them again. Leaves sweep.csv, sweep.png and report.html in runs/NAME: the most precise network of each budget,
    against neurons available, neurons used and LUTs. Ctrl-C saves; --resume continues.
    """
    del debug  # read from the command line by main
    values = search_values(ctx)
    if "trials" in options.given(ctx):
        values["trials"] = trials

    from nas_fpga._progress import make_reporter
    from nas_fpga.cli._comparison import print_sweep
    from nas_fpga.cli._resumable import resumable
    from nas_fpga.comparison import SweepRun, existing, new
    from nas_fpga.errors import InputError
    from nas_fpga.report import write_sweep

    numbers = None
    if budgets is not None:
        parts = [part.strip() for part in budgets.split(",")]
        if not all(part.isdecimal() for part in parts):
            raise InputError(f"--budgets {budgets} must be numbers of neurons from 1, ascending, such as 10,20,50")
        numbers = [int(part) for part in parts]
    reporter = make_reporter()
    folder = existing(Path(runs), name, "sweep.json") if resume else new(Path(runs), name, "sweep", given["data"])
    run = SweepRun.prepare(folder, values, budgets=numbers, resume=resume)
    with resumable("sweep", folder):
        with reporter.live():
            swept = run.execute(given["workers"], reporter)
        write_sweep(swept, folder / "report.html")
    print_sweep(swept, as_json=json)

"""`nas-fpga search`: the main job."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from nas_fpga.cli import _options as options
from nas_fpga.cli._search_options import search_values, takes_search_options


@takes_search_options()
def search(
    ctx: typer.Context,
    *,
    study: options.Study = None,
    runs: options.Runs = "runs",
    storage: options.Storage = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue a study (the latest, or --study NAME). Only --trials, --workers and the display may change.",
            rich_help_panel="Study",
        ),
    ] = False,
    prove: options.Prove = False,
    json: options.Json = False,
    debug: options.Debug = False,
    **given: Any,
) -> None:
    """Search networks for a data set under a budget of hidden neurons, and print their Pareto front.

    Trains and quantizes every candidate, costs it on the FPGA, and leaves runs/NAME with the study, the checkpoints,
    front.csv and report.html. Ctrl-C saves; --resume continues.
    """
    del debug  # read from the command line by main
    values = search_values(ctx)

    from nas_fpga._progress import make_reporter
    from nas_fpga.cli._output import print_outcome
    from nas_fpga.cli._proof import print_proofs, proven
    from nas_fpga.report import write_report
    from nas_fpga.study import SearchInterruptedError, SearchRun, existing_study, new_study

    reporter = make_reporter()
    if study is not None or resume:
        folder = existing_study(Path(runs), study, stored_elsewhere=storage is not None)
    else:
        folder = new_study(Path(runs), given["data"], given["budget"])
    run = SearchRun.prepare(folder, values, storage_url=storage, resume=resume)
    try:
        with reporter.live():
            outcome = run.execute(n_workers=given["workers"], reporter=reporter, verbose=given["verbose"])
    except SearchInterruptedError as error:
        raise SearchInterruptedError(f"{error}. Continue with: {_resume_command(folder, storage)}") from None
    if not json:
        print_outcome(outcome, as_json=False)
    write_report(outcome, outcome.folder / "report.html")
    if json:
        print_outcome(outcome, as_json=True, proofs=proven(outcome) if prove else ())
        return
    typer.echo(f"Report: {outcome.folder / 'report.html'}")
    if prove:
        print_proofs(proven(outcome))


def _resume_command(folder: Path, storage: str | None) -> str:
    """Return the command that continues the study from the same folder."""
    words = ["nas-fpga", "search", "--study", folder.name, "--resume"]
    if folder.parent != Path("runs"):
        words += ["--runs", str(folder.parent)]
    if storage is not None:
        words += ["--storage", storage]
    return shlex.join(words)

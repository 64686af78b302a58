"""`nas-fpga explain`: what mattered in a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nas_fpga.cli import _options as options
from nas_fpga.cli._output import tell


def explain(
    study: options.Study = None,
    data: Annotated[str | None, typer.Option(help="Where the study's data file lies now, if it was moved.")] = None,
    runs: options.Runs = "runs",
    storage: options.Storage = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Say what mattered in a study: depth, total neurons, shape, bits and training settings. Nothing is trained.

    How far that can be known comes first. explain.png and explain.csv go to the study's folder. Without --study the
    latest one is meant, finished or not.
    """
    del debug

    from json import dumps
    from textwrap import fill

    from nas_fpga.explanation import PARTS, RANKS, explain_study
    from nas_fpga.report import write_findings
    from nas_fpga.study import read_outcome

    folder = options.existing_study(Path(runs), study, stored_elsewhere=storage is not None)
    outcome = read_outcome(folder, storage, data=data and options.absolute(data), message=tell)
    findings = explain_study(outcome)
    written = write_findings(findings, folder)
    if json:
        typer.echo(dumps({"study": folder.name, **findings.record()}, indent=2))
        return
    typer.echo(f"What mattered in {folder.name}\n\n{findings}")
    if findings.is_enough:
        typer.echo("\n" + fill(f"{PARTS} {RANKS}", 100))
    typer.echo("Written: " + ", ".join(map(str, written)))

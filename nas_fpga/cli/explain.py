"""`nas-fpga explain`: what mattered in a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nas_fpga.cli import _options as options


def explain(
    study: options.Study = None,
    data: Annotated[str | None, typer.Option(help="Where the study's data file lies now, if it was moved.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of folds, trees and shuffles.  [default: the study's]")] = None,
    runs: options.Runs = "runs",
    storage: options.Storage = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Say what mattered in a study: depth, total neurons, shape, bits and training settings. Nothing is trained.

    How far that can be known comes first. Networks over the limits count too, and all are costed by laws. explain.png
    and explain.csv go to the study's folder, but for another --seed than the study's: with that the conclusions should
    be the same. Without --study the latest one is meant, finished or not.
    """
    del debug

    from json import dumps
    from textwrap import fill

    from nas_fpga.explanation import PARTS, RANKS, explain_study
    from nas_fpga.report import write_findings
    from nas_fpga.study import read_trials

    folder = options.existing_study(Path(runs), study, stored_elsewhere=storage is not None)
    mapped = read_trials(folder, storage, data=data and options.absolute(data))
    findings = explain_study(mapped.setup, mapped.trials, seed)
    own_seed = mapped.setup.definition.seed
    written = write_findings(findings, folder) if seed in (None, own_seed) else ()
    states = [trial.state for trial in mapped.trials]
    if json:
        beside = {
            "study": folder.name,
            "seed": own_seed if seed is None else seed,
            "trials": {state: states.count(state) for state in ("complete", "failed")},
            "lost": dict(mapped.lost),
            "files": list(map(str, written)),
        }
        typer.echo(dumps(beside | findings.record(), indent=2))
        return
    typer.echo(f"What mattered in {folder.name}\n\n{findings}")
    n_failed, n_open = states.count("failed"), sum(not trial.ended for trial in mapped.trials)
    for n, why in ((n_failed, "failed"), (n_open, "have not ended")):
        if n:
            typer.echo(f"left out: {n} of {len(states)} trials, which {why}")
    for reason in dict.fromkeys(mapped.lost.values()):
        typer.echo(f"left out: {reason}")
    if findings.is_enough:
        typer.echo("\n" + fill(f"{PARTS} {RANKS}", 100))
    if written:
        typer.echo("Written: " + ", ".join(map(str, written)))

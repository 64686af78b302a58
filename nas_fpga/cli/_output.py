"""Prints the outcome of a study: a table for people, JSON for programs; and beside it what goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from nas_fpga.export._prove import PointProof
    from nas_fpga.study import StudyOutcome

_FILE_WIDTH = 10_000  # of tables of figures, which take what they need
_WIDTH = 220  # of the front's table where it goes to a file or a wide terminal: no cell is folded
_WIDE = 165  # columns of a terminal that shows all of the table; narrower ones show the columns below
_WHEN_NARROW = ("point", "network", "validation", "test [95 %]", "LUT", "DSP", "ns")


def tell(text: str) -> None:
    """Say what goes on, beside the result."""
    typer.echo(text, err=True)


def console() -> Console:
    """Return where tables are printed: as wide as the terminal; where they go to a file, no cell is folded."""
    from rich.console import Console

    terminal = Console(highlight=False, markup=False)
    return terminal if terminal.is_terminal else Console(highlight=False, markup=False, width=_FILE_WIDTH)


def show(table: Table) -> None:
    """Print a table."""
    console().print(table)


def print_outcome(outcome: StudyOutcome, *, as_json: bool, proofs: Sequence[PointProof] = ()) -> None:
    """Print the front to standard output.

    Args:
        outcome: Of a study.
        as_json: As one JSON object instead of a table.
        proofs: Of its points, for the JSON object.
    """
    causes = [trial.polished.cause for trial in outcome.trials if trial.polished is not None]
    n_polished, n_unpolished = causes.count(None), len(causes) - causes.count(None)
    if as_json:
        front = [outcome.record(row) | {"figures": asdict(row.point.mapped.figures)} for row in outcome.front]
        states = [trial.state for trial in outcome.trials]
        summary: dict[str, Any] = {
            "study": outcome.folder.name,
            "trials": {state: states.count(state) for state in ("complete", "failed")},
            "polished": {"complete": n_polished, "failed": n_unpolished},
            "front": front,
            "best": outcome.best.point.name,
            "knee": str(outcome.knee),
            "by_law": list(outcome.by_law),
            "lost": dict(outcome.lost),
        }
        if proofs:
            summary["proofs"] = [asdict(proof) for proof in proofs]
        typer.echo(json.dumps(summary, indent=2))
        return
    target = outcome.setup.target
    most = target.limits
    limits = f"limits {most.lut:,.0f} LUT, {most.dsp:,.0f} DSP, {most.latency_ns:,.0f} ns"
    typer.echo(
        f"\nPareto front of {outcome.setup.dataset.name} on {target.part.name}, {target.clock_ns:g} ns, "
        f"{target.rate_mhz:g} inferences/us; {'nothing refused' if target.unlimited else limits}\n"
    )
    _print_table(outcome)
    best = outcome.best
    typer.echo(
        f"* best: {best.point.name} ({best.trial.name_of(best.point)}), the cheapest within one paired standard error\n"
        f"  of the most precise; precision on test {best.test.precision:.4f}"
    )
    training = outcome.setup.definition.searched.shown(best.trial.candidate.settings)
    if training and not best.point.polished:
        typer.echo(f"  trained with {', '.join(f'{name} {value}' for name, value in training.items())}")
    typer.echo(f"knee: {outcome.knee}")
    n_failed = sum(trial.state == "failed" for trial in outcome.trials)
    if n_failed:
        typer.echo(f"{n_failed} of {len(outcome.trials)} trials failed; their causes are in the study")
    if n_unpolished:
        typer.echo(f"{n_unpolished} of {len(causes)} networks could not be polished; their causes are in the study")
    if outcome.by_law:
        typer.echo(outcome.by_law_note)
    for reason in dict.fromkeys(outcome.lost.values()):
        typer.echo(f"left out: {reason}")
    file = outcome.folder / "front.csv"  # of a search that has ended, under its own limits
    if file.is_file() and file.read_bytes() == outcome.csv().encode():
        typer.echo(f"All figures: {file}")


def _print_table(outcome: StudyOutcome) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from nas_fpga.api import TEXT_COLUMNS, front_cells, training_note

    cells = [front_cells(outcome, row) for row in outcome.front]
    console = Console(highlight=False)
    more = max(len(row.get("training", "")) for row in cells)
    narrow = console.is_terminal and console.width < _WIDE + more
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in cells[0]:
        if heading in _WHEN_NARROW or not narrow:
            as_text = heading in TEXT_COLUMNS
            table.add_column(heading, justify="left" if as_text else "right", no_wrap=not (narrow and as_text))
    for row in cells:
        table.add_row(*(text for heading, text in row.items() if heading in _WHEN_NARROW or not narrow))
    (console if narrow else Console(highlight=False, width=_WIDTH + more)).print(table)
    target = outcome.setup.target
    heading = "share" if target.objective == "share" else f"{target.objective} share"
    merit, axis = outcome.merit_name, outcome.setup.resource_name
    calibrated = "" if target.calibration is None else f" by a calibration ({target.calibration})"
    typer.echo(
        f"validation, test: {merit}; corrected: with the optimism of picking the best of many added;\n"
        "mapping: da (distributed arithmetic: adders in place of multipliers), latency or resource of hls4ml;\n"
        "precision: 1 - test; P(front): share of resamples in which no other network is as good and as cheap;\n"
        f"LUT, DSP: one copy, carried to {target.rank_stage}{calibrated}, of da from da4ml's adder graph, of others by "
        f"estimate;\n{heading}: {axis}, all copies"
    )
    if not narrow and (note := training_note(outcome)):
        typer.echo(note)
    data, best = outcome.setup.dataset, outcome.best.test
    bins = ", ".join(f"{name}: {value:.4f}" for name, value in best.by_bin if value is not None)
    if best.all_rows_background_efficiency is not None and bins:
        everything = f"all generated rows: {best.all_rows_background_efficiency:.4f}; trigger candidates by "
        typer.echo(f"best on test, {'' if data.counted.all() else everything}{bins}")
    if best.per_class_auc:
        aucs = zip(data.class_names, best.per_class_auc, strict=True)
        typer.echo(f"best on test, AUC against the rest, {', '.join(f'{name}: {auc:.4f}' for name, auc in aucs)}")
    if "notice" in data.provenance:
        typer.echo(f"{data.name}: {data.provenance['notice']}")
    typer.echo("")

"""Prints comparisons and sweeps: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from nas_fpga.cli._output import show

if TYPE_CHECKING:
    from nas_fpga.comparison import Comparison, Sweep


def resume_command(command: str, folder: Path) -> str:
    """Return the command that continues a comparison or sweep from the same folder."""
    words = ["nas-fpga", command, "--name", folder.name, "--resume"]
    if folder.parent != Path("runs"):
        words += ["--runs", str(folder.parent)]
    return shlex.join(words)


def print_table(rows: Sequence[dict[str, Any]], text: Sequence[str]) -> None:
    """Print rows under their names; columns of text are aligned left."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in rows[0]:
        table.add_column(heading, justify="left" if heading in text else "right")
    for row in rows:
        table.add_row(*map(str, row.values()))
    show(table)


def print_comparison(comparison: Comparison, *, as_json: bool) -> None:
    """Print what a comparison comes to on standard output."""
    if as_json:
        typer.echo(json.dumps(_finite(comparison.summary()), indent=2))
        return
    from nas_fpga.comparison import comparison_cells, comparison_words

    heading, *words = comparison_words(comparison)
    typer.echo(f"\n{heading}\n")
    print_table(comparison_cells(comparison), text=("method",))
    typer.echo("\n".join(words))
    typer.echo(f"All trials: {comparison.folder / 'comparison.csv'}\nReport: {comparison.folder / 'report.html'}")


def print_sweep(sweep: Sweep, *, as_json: bool) -> None:
    """Print what a sweep comes to on standard output."""
    if as_json:
        typer.echo(json.dumps(_finite(sweep.summary()), indent=2))
        return
    from nas_fpga.comparison import sweep_cells, sweep_words

    heading, *words = sweep_words(sweep)
    typer.echo(f"\n{heading}\n")
    print_table(sweep_cells(sweep), text=("network",))
    typer.echo("\n".join(words))
    typer.echo(f"All figures: {sweep.folder / 'sweep.csv'}\nReport: {sweep.folder / 'report.html'}")


def _finite(value: Any) -> Any:
    """Return plain values with None for what is no number, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

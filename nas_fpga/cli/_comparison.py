"""Prints comparisons and sweeps: tables for people, JSON for programs."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import typer

from nas_fpga.cli._output import console, show

if TYPE_CHECKING:
    from nas_fpga.comparison import Comparison, Sweep

_GAP = 2  # between columns, and on both sides
_TEXT_WIDTH = 24  # that a column of text may be folded to
_SENTENCE_WIDTH = 110


def resume_command(command: str, folder: Path) -> str:
    """Return the command that continues a comparison or sweep from the same folder."""
    words = ["nas-fpga", command, "--name", folder.name, "--resume"]
    if folder.parent != Path("runs"):
        words += ["--runs", str(folder.parent)]
    return shlex.join(words)


def print_table(rows: Sequence[dict[str, str]], text: Sequence[str]) -> None:
    """Print rows under their names.

    Numbers are never cut: what a terminal has no room for goes on below, each part with the first column.

    Args:
        rows: Texts, with the same names in all.
        text: Names of columns that are aligned left; these may be folded.
    """
    from rich import box
    from rich.table import Table

    for names in _parts(rows, text, console().width):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for name in names:
            is_text = name in text
            table.add_column(name, justify="left" if is_text else "right", no_wrap=not is_text, overflow="fold")
        for row in rows:
            table.add_row(*(row[name] for name in names))
        show(table)


def _parts(rows: Sequence[dict[str, str]], text: Sequence[str], width: int) -> list[list[str]]:
    """Return the columns of each part of a table; the first is in all."""
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) + _GAP for name in rows[0]}
    for name in text:
        widths[name] = min(widths[name], _TEXT_WIDTH + _GAP)
    first, *others = rows[0]
    parts, used = [[first]], widths[first]
    for name in others:
        if used + widths[name] > width and len(parts[-1]) > 1:
            parts.append([first])
            used = widths[first]
        parts[-1].append(name)
        used += widths[name]
    return parts


def _say(text: str) -> None:
    """Print a sentence, with no word cut."""
    width = min(shutil.get_terminal_size().columns, _SENTENCE_WIDTH)
    typer.echo(fill(text, width, break_long_words=False, break_on_hyphens=False))


def print_comparison(comparison: Comparison, *, as_json: bool) -> None:
    """Print what a comparison comes to on standard output."""
    from nas_fpga.study import finite

    if as_json:
        typer.echo(json.dumps(finite(comparison.summary()), indent=2))
        return
    from nas_fpga.comparison import comparison_cells, comparison_words, reaches_cells, verdict

    heading, *words = comparison_words(comparison)
    typer.echo()
    for sentence in filter(None, (heading, verdict(comparison))):
        _say(sentence)
    typer.echo()
    print_table(comparison_cells(comparison), text=("method",))
    if reaches := reaches_cells(comparison):
        print_table(reaches, text=("reaches",))
    for sentence in words:
        _say(sentence)
    typer.echo(f"All trials: {comparison.folder / 'comparison.csv'}\nReport: {comparison.folder / 'report.html'}")


def print_sweep(sweep: Sweep, *, as_json: bool) -> None:
    """Print what a sweep comes to on standard output."""
    from nas_fpga.study import finite

    if as_json:
        typer.echo(json.dumps(finite(sweep.summary()), indent=2))
        return
    from nas_fpga.comparison import sweep_cells, sweep_words

    heading, *words = sweep_words(sweep)
    typer.echo()
    _say(heading)
    typer.echo()
    print_table(sweep_cells(sweep), text=("network",))
    for sentence in words:
        _say(sentence)
    typer.echo(f"All figures: {sweep.folder / 'sweep.csv'}\nReport: {sweep.folder / 'report.html'}")

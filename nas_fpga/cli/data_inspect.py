"""`nas-fpga data inspect`: what is in a file."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from nas_fpga.cli import _options as options
from nas_fpga.cli._output import show

if TYPE_CHECKING:
    from nas_fpga.data import Inspection
    from nas_fpga.data._inspect import ColumnSummary


def inspect(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="npz, CSV, Parquet, ARFF, HDF5 or ROOT; FILE.root:tree names an object inside."
        ),
    ],
    target: Annotated[str | None, typer.Option(help="Column of the class.  [default: one is suggested]")] = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Say what is in a file: columns, classes, ranges, missing values, leaks, and the command that searches on it.

    Published data sets (openml-jets, cernbox-jets, hgcal-beam-test) are recognised.
    """
    del debug
    from nas_fpga.data import inspect_file

    found = inspect_file(file, target)
    if json:
        typer.echo(json_module.dumps(asdict(found), indent=2, default=str))
        return
    _print(found)


def _print(found: Inspection) -> None:
    from rich import box
    from rich.table import Table

    from nas_fpga.data.variants import VARIANTS

    of = f" of {VARIANTS[found.variant].title} ({found.variant})" if found.variant else ""
    typer.echo(f"{found.file}: {found.format}{of}, {found.n_rows:,} rows, {len(found.columns)} columns\n")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    headings = ("column", "type", "lowest", "highest", "values", "missing", "infinite", "")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in ("column", "type", "") else "right", overflow="fold")
    for column in found.columns:
        table.add_row(*_cells(column))
    show(table)
    if found.classes:
        shares = (f"{name} {n:,} ({n / found.n_rows:.1%})" for name, n in found.classes.items())
        where = f" in {found.target}" if found.target is not None else ""
        typer.echo(f"{len(found.classes)} classes{where}: {', '.join(shares)}")
    elif found.variant is None:
        typer.echo("No target is suggested: no column of few values has a telling name; give one with --target")
    for warning in found.warnings:
        typer.echo(f"! {warning}")
    typer.echo(f"\nTo search on it: {found.command}")


def _cells(column: ColumnSummary) -> list[str]:
    from nas_fpga.data._inspect import MAX_DISTINCT

    return [
        column.name,
        column.dtype,
        _number(column.minimum),
        _number(column.maximum),
        f"> {MAX_DISTINCT:,}" if column.n_distinct is None else f"{column.n_distinct:,}",
        f"{column.n_missing:,}" if column.n_missing else "",
        f"{column.n_infinite:,}" if column.n_infinite else "",
        column.note,
    ]


def _number(value: float | int | None) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else f"{value}"

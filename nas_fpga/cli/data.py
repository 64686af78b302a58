"""`nas-fpga data`: data sets and how they are made."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nas_fpga.cli import _options as options
from nas_fpga.cli.data_inspect import inspect
from nas_fpga.cli.data_jets import jets
from nas_fpga.cli.data_simulate import simulate

data_app = typer.Typer(
    no_args_is_help=True,
    help="Say what is in a file, and make the reference data sets: more showers, more jets, their tables.",
    rich_markup_mode=None,
)
data_app.command()(inspect)
data_app.command()(simulate)
data_app.command()(jets)


@data_app.command()
def hgcal(
    showers: Annotated[Path, typer.Option(help="Packed Geant4 showers.")] = Path("datasets/hgcal_showers.npz"),
    library: Annotated[Path, typer.Option(help="Pile-up library.")] = Path("datasets/hgcal_pileup_library.npz"),
    to: Annotated[Path, typer.Option(help="Folder that the tables are written to.")] = Path("tables"),
    pileup: Annotated[
        list[int] | None, typer.Option(help="Pile-up collisions: 0, 140 or 200; may be repeated.  [default: 200 and 0]")
    ] = None,
    debug: options.Debug = False,
) -> None:
    """Derive the electron/pion tables from the packed showers: overlay pile-up, add noise, form trigger clusters.

    The tables inside the package were made by this command and come out bit for bit.
    """
    del debug
    from nas_fpga.data.hgcal import write_tables

    def progress(done: int, total: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{done:,}/{total:,} showers" + ("\n" if done == total else ""))
            sys.stderr.flush()

    to.mkdir(parents=True, exist_ok=True)  # refused now rather than after minutes of work
    for path in write_tables(showers, library, to, pileups=tuple(pileup or (200, 0)), progress=progress):
        typer.echo(f"{path} ({path.stat().st_size:,} bytes)")

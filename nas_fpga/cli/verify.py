"""`nas-fpga verify`: proves exported projects against their Keras models."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from nas_fpga.cli import _options as options
from nas_fpga.cli._output import tell


class ProofOption(StrEnum):
    """What is run."""

    cpp = "cpp"
    rtl = "rtl"


def verify(
    folders: Annotated[list[Path], typer.Argument(help="Exported projects, or folders of them.", metavar="DIR...")],
    proof: Annotated[
        ProofOption | None,
        typer.Option(
            help="Compile the C++ of hls/, or simulate the RTL of rtl/.  [default: the C++ where it compiles within "
            "minutes]"
        ),
    ] = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Run a project as it lies in its folder on at least 5,000 events and compare every output with Keras, bit for bit.

    HLS projects are compiled with g++; RTL is simulated (Verilator, else CXXRTL) and its latency checked. Edge cases
    are among the events: zeros, largest values, values far beyond the input format. The outcome is written into the
    project's README and design.json. Exit code 1 if anything differs.
    """
    del debug

    from nas_fpga.errors import NasFpgaError
    from nas_fpga.export import verify as prove

    records: list[dict[str, Any]] = []
    projects = [project for folder in folders for project in _projects(folder)]
    for project in projects:
        try:
            found = prove(project, proof=options.plain(proof), message=tell)
        except NasFpgaError as error:
            if len(projects) == 1:
                raise
            tell(f"error: {project}: {error}")
            records.append({"folder": str(project), "passed": False, "error": str(error)})
            continue
        records.append({"folder": str(project), "passed": found.passed, **asdict(found)})
        if not json:
            typer.echo(f"{project}: {found}")
    if json:
        typer.echo(json_module.dumps({"projects": records}, indent=2))
    raise typer.Exit(0 if all(record["passed"] for record in records) else 1)


def _projects(folder: Path) -> list[Path]:
    """Return the folder if it is a project, else the projects in it."""
    from nas_fpga.errors import InputError

    if (folder / "design.json").exists():
        return [folder]
    found = sorted(path.parent for path in folder.glob("*/design.json"))
    if not found:
        raise InputError(f"{folder} is no exported project and holds none; give the folder of nas-fpga export")
    return found

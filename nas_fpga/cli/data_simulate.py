"""`nas-fpga data simulate`: new calorimeter showers with Geant4."""

from __future__ import annotations

import os
import re
import shlex
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_fpga.cli import _options as options

if TYPE_CHECKING:
    from nas_fpga.data.hgcal import Check

_REFERENCE = Path("datasets/hgcal_showers.npz")
_PLAIN_EVERY_S = 10.0


class Particle(StrEnum):
    """What enters the calorimeter."""

    electron = "electron"
    pion = "pion"
    both = "both"


def simulate(
    showers: Annotated[int, typer.Option(help="How many; each takes about 0.5 s of one core.")],
    particle: Annotated[Particle, typer.Option(help="Electrons, negative pions, or the two in turn.")] = Particle.both,
    energy: Annotated[
        str, typer.Option(help="Lowest:highest in GeV, even in the logarithm; the tables take those above 41.")
    ] = "10:200",
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes, whatever the workers.")] = 1,
    to: Annotated[Path, typer.Option(help="File of packed showers to write.")] = Path("showers.npz"),
    workers: Annotated[
        int | None, typer.Option(help="Processes that simulate at the same time.  [default: as many as cores]")
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of Geant4's physics tables.  [default: where GEANT4_DATA_DIR points]"),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(help="Packed showers to compare with.  [default: datasets/hgcal_showers.npz, if it is there]"),
    ] = None,
    debug: options.Debug = False,
) -> None:
    """Simulate new showers with Geant4 in the detector of hgcal, and check their physics.

    Needs the extra geant4 and Geant4's physics tables. Finished parts are kept beside the file: after Ctrl-C or a crash
    the same command goes on.
    """
    del debug
    from nas_fpga.data.hgcal import read_showers, sample_checks
    from nas_fpga.data.simulation import Plan, done_showers
    from nas_fpga.data.simulation import simulate as run

    if reference is None and _REFERENCE.exists():
        reference = _REFERENCE
    known = None if reference is None else read_showers(reference)  # refused now rather than after hours of work
    plan = Plan(showers, particle.value, _energy_range(energy), seed)
    n_workers = _n_cores() if workers is None else workers
    progress = _Progress()
    try:
        run(plan, to, n_workers, data_dir, progress)
    except KeyboardInterrupt:
        again = shlex.join(["nas-fpga", *sys.argv[1:]])
        kept = done_showers(plan, to)
        typer.echo(f"\nstopped; {kept:,} of {showers:,} showers are kept. Go on with: {again}", err=True)
        raise typer.Exit(130) from None
    typer.echo(f"{to} ({to.stat().st_size:,} bytes): {showers:,} showers")
    _print_checks(sample_checks(read_showers(to), known))
    if known is None:
        typer.echo(f"not compared with known showers, {_REFERENCE} is not here: --reference names others", err=True)
    derive = shlex.join(["nas-fpga", "data", "hgcal", "--showers", str(to), "--to", "tables"])
    typer.echo(f"To search on it: {derive}, then nas-fpga search --data hgcal --tables tables")


def _n_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _energy_range(text: str) -> tuple[float, float]:
    from nas_fpga.errors import InputError

    if not (found := re.fullmatch(r"([\d.]+(?:e\d+)?):([\d.]+(?:e\d+)?)", text.strip(), re.IGNORECASE)):
        raise InputError(f"--energy '{text}' is not LOWEST:HIGHEST in GeV; give for instance 10:200")
    try:
        return float(found[1]), float(found[2])
    except ValueError as error:
        raise InputError(f"--energy '{text}' holds no two numbers; give for instance 10:200") from error


class _Progress:
    """A line on standard error: one that changes on a terminal, one now and then elsewhere."""

    def __init__(self) -> None:
        self._began, self._last, self._kept = time.monotonic(), 0.0, 0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        text = f"{done:,}/{total:,} showers"
        if not self._last:
            self._kept = done
            text += f", {done:,} of them kept from before" if done else ""
        elif done > self._kept:
            per_s = (done - self._kept) / (now - self._began)
            minutes, seconds = divmod(round((total - done) / per_s), 60)
            text += f", {per_s:.2f} showers/s, {minutes}:{seconds:02d} left"
        live = sys.stderr.isatty()
        if live or not self._last or done == total or now - self._last >= _PLAIN_EVERY_S:
            self._last = now
            sys.stderr.write(f"\r\x1b[K{text}" + ("\n" if done == total else "") if live else f"{text}\n")
            sys.stderr.flush()


def _print_checks(checks: list[Check]) -> None:
    """Print the checks as a table, and in a line how many passed."""
    if not checks:
        typer.echo("too few showers to check their physics; 10 of a kind are the least")
        return
    rows = [["check", "value", "expected", "passes from", "to", "passed"]]
    for check in checks:
        figures = [f"{value:.4g}" for value in (check.value, check.expected, check.low, check.high)]
        rows.append([check.name, *figures, "yes" if check.passed else "NO"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *rest in rows:
        cells = [text.rjust(width) for text, width in zip(rest, widths[1:], strict=True)]
        typer.echo("  ".join([name.ljust(widths[0]), *cells]))
    n_passed = sum(check.passed for check in checks)
    typer.echo(f"{n_passed} of {len(checks)} physics checks passed; ranges allow for the sample's own errors")

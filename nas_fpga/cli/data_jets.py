"""`nas-fpga data jets`: more jets."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from nas_fpga.cli import _options as options


def jets(
    events: Annotated[
        int,
        typer.Option(
            help="Jets to make, a fifth of each class (rounded up to a multiple of 5); up to two are of one collision."
        ),
    ] = 10_000,
    seed: Annotated[int, typer.Option(help="Of everything; the package carries the first 135,000 of seed 0.")] = 1,
    to: Annotated[Path, typer.Option(help="The npz file to write.")] = Path("jets.npz"),
    workers: Annotated[
        int | None, typer.Option(help="Processes; the file does not depend on it.  [default: the cores]")
    ] = None,
    debug: options.Debug = False,
) -> None:
    """Make gluon, quark, W, Z and top jets with Pythia 8 and FastJet: the extra `jets`, both under the GPL.

    It is neither the OpenML nor the CERNBox set. Search on the file with: nas-fpga search --data jets.npz --target
    class --group event. Finished parts of 1,000 jets are kept in FILE.parts: the same command goes on after any
    interruption. The same seed gives the same bytes.
    """
    del debug
    from nas_fpga.data.jets import Plan, done_jets, generate_jets, parts_folder

    plan = Plan(events, seed)
    n_workers = len(os.sched_getaffinity(0)) if workers is None else workers
    try:
        generate_jets(plan, to, n_workers, _progress())
    except KeyboardInterrupt:
        same = shlex.join(["nas-fpga", *sys.argv[1:]])
        kept = f"{done_jets(plan, to):,} of {plan.n_jets:,} jets are kept in {parts_folder(to)}"
        typer.echo(f"stopped; {kept}. Continue with: {same}", err=True)
        raise typer.Exit(130) from None
    typer.echo(f"{to} ({plan.n_jets:,} jets, {to.stat().st_size:,} bytes)")


def _progress() -> Callable[[int, int], None]:
    """Return what writes jets done, the rate, and the time left to standard error: one line, on a terminal in place."""
    start, first = time.monotonic(), -1

    def show(done: int, total: int) -> None:
        nonlocal first
        first = done if first < 0 else first
        text = f"{done:,}/{total:,} jets"
        if done > first:
            rate = (done - first) / (time.monotonic() - start)
            minutes, seconds = divmod(round((total - done) / rate), 60)
            text += f", {rate:.0f} jets/s, {minutes}:{seconds:02d} left"
        in_place = sys.stderr.isatty()
        sys.stderr.write(f"\r{text}\x1b[K" + ("\n" if done == total else "") if in_place else f"{text}\n")
        sys.stderr.flush()

    return show

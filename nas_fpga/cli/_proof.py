"""Proves a front and prints what came out: estimates and logic synthesis side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from nas_fpga.cli._output import show, tell

if TYPE_CHECKING:
    from nas_fpga.export._prove import PointProof
    from nas_fpga.study import StudyOutcome


def proven(outcome: StudyOutcome) -> tuple[PointProof, ...]:
    """Prove a front, telling what goes on."""
    from nas_fpga.export import prove

    return prove(outcome, message=tell)


def print_proofs(proofs: Sequence[PointProof]) -> None:
    """Print both stages of every point, pairs whose order turns, and what is not proven."""
    from rich import box
    from rich.table import Table

    from nas_fpga.export import reversals

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("point", "network"):
        table.add_column(heading, no_wrap=True)
    for heading in ("validation", "LUT estimated", "[90 %]", "LUT by Yosys", "carried", "[90 %]", "FF", "differing"):
        table.add_column(heading, justify="right", no_wrap=True)
    for proof in proofs:
        estimated, synthesised, cells = proof.estimated, proof.synthesised, proof.cells
        numbers = [f"{proof.error:.4f}", f"{estimated.value:,.0f}", f"[{estimated.low:,.0f}, {estimated.high:,.0f}]"]
        if synthesised is not None and cells is not None:
            numbers += [f"{cells.lut:,}", f"{synthesised.value:,.0f}"]
            numbers += [f"[{synthesised.low:,.0f}, {synthesised.high:,.0f}]", f"{cells.ff:,}"]
            numbers.append(f"{proof.differing:,} of {proof.outputs:,}")
        else:
            numbers += [""] * 4 + ["unproven"]
        table.add_row(proof.point, proof.network, *numbers)
    show(table)
    done = [proof for proof in proofs if not proof.cause]
    compared, differing = sum(proof.outputs for proof in done), sum(proof.differing or 0 for proof in done)
    typer.echo(
        f"proven: {len(done)} of {len(proofs)} points, {differing:,} of {compared:,} outputs differ from Keras; "
        "carried: logic synthesis at the stage of ranking"
    )
    for cheaper, dearer in reversals(proofs):
        typer.echo(f"in another order: {cheaper} is cheaper than {dearer} by estimate, dearer by logic synthesis")
    for cause, number in Counter(proof.cause for proof in proofs if proof.cause).items():
        typer.echo(f"unproven: {number} of {len(proofs)}, as {cause}")

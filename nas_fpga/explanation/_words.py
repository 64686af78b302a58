"""Findings in words, and as cells of a table."""

from __future__ import annotations

from collections.abc import Sequence

from nas_fpga.explanation._explain import Explanation
from nas_fpga.explanation._findings import Findings

PARTS = (
    "Parts are of the variance: what goes with a group, alone and together with others, as extremely randomised trees "
    "tell it of networks that they were not fitted to, with 95 % intervals; one that reaches 0 may be none at all."
)
RANKS = "Ranks are rank correlations with error and resources: above 0 more is worse, or dearer."


def quality(explanation: Explanation) -> str:
    """Return how far the surrogate is to be believed; where nothing can be concluded, that."""
    if explanation.verdict or explanation.quality is None:
        return explanation.verdict
    of = explanation.quality
    n = f"{of.n_candidates:,} networks" + (f" in {of.n_trainings:,} trainings" * (of.n_trainings > of.n_candidates))
    ceiling = f"; the scatter of repeated trainings leaves at most {of.ceiling:.2f}" if of.ceiling is not None else ""
    return f"R2 {of.r_squared:.2f}, rank correlation {of.rank_correlation:.2f}, on {n} held out in turn{ceiling}"


def notes(findings: Findings) -> list[str]:
    """Return what the reader should know beside the numbers."""
    said = []
    if findings.n_fenced:
        many = "networks are" if findings.n_fenced > 1 else "network is"
        fence = f"far worse than all others and count as {findings.fence:.3g}, Tukey's fence"
        said.append(f"{findings.n_fenced} {many} {fence}")
    for one, other, rho in findings.together:
        said.append(f"{one} and {other} go together (rank correlation {rho:+.2f}): their parts overlap")
    if findings.fixed:
        said.append(f"the same in all: {', '.join(findings.fixed)}")
    return said


def cells(findings: Findings) -> list[dict[str, str]]:
    """Return a row for each group, the most important for the error first, and for each descriptor of several."""
    parts = [{one.group: one.of_variance for one in of.importances} for of in findings.explanations]
    rows = []
    for group in dict.fromkeys([*parts[0], *parts[1], *findings.groups]):
        members = [i for i, of in enumerate(findings.groups) if of == group]
        texts = [f"{part[group]:%}" if group in part else "" for part in parts]
        alone = len(members) == 1
        rows.append(_row(group, texts, _ranks(findings, members[0]) if alone else ("", "")))
        rows += [] if alone else [_row(f"  {findings.names[i]}", ("", ""), _ranks(findings, i)) for i in members]
    return rows


def _ranks(findings: Findings, i: int) -> Sequence[str]:
    return [f"{rho:+.2f}" for rho in findings.correlations[i, -2:]]


def _row(name: str, parts: Sequence[str], ranks: Sequence[str]) -> dict[str, str]:
    return {
        "what": name,
        "error [95 %]": parts[0],
        "its rank": ranks[0],
        "resources [95 %]": parts[1],
        "their rank": ranks[1],
    }


def text(findings: Findings) -> str:
    """Return quality, table and notes as lines."""
    lines = [f"{of.target}: {quality(of)}" for of in findings.explanations]
    if findings.is_enough:
        rows = cells(findings)
        table = [list(rows[0]), *(list(row.values()) for row in rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines.append("")
        for first, *others in table:
            numbers = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
            lines.append("  ".join([first.ljust(widths[0]), *numbers]).rstrip())
        lines.append("")
    return "\n".join([*lines, *notes(findings)])

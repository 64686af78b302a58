"""Findings in words, and as cells of a table."""

from __future__ import annotations

from nas_fpga.explanation._explain import Explanation
from nas_fpga.explanation._findings import Findings

HOW = (
    "Of the variance: part that goes with a group, alone and together with others, by extremely randomised trees on "
    "networks that they were not fitted to, with its 95 % interval; one that reaches 0 is not told from none. "
    "With rank: rank correlation with the figure itself."
)


def quality(explanation: Explanation) -> str:
    """Return how far the surrogate is to be believed; where nothing can be concluded, that."""
    if explanation.verdict or explanation.quality is None:
        return explanation.verdict
    of = explanation.quality
    n = f"{of.n_candidates:,} networks" + (f" in {of.n_trainings:,} trainings" * (of.n_trainings > of.n_candidates))
    ceiling = f"; repeated trainings leave {of.ceiling:.2f} to be explained" if of.ceiling is not None else ""
    return f"R2 {of.r_squared:.2f}, rank correlation {of.rank_correlation:.2f} on {n} held out{ceiling}"


def notes(findings: Findings) -> list[str]:
    """Return what the reader should know beside the numbers."""
    said = []
    if findings.n_fenced:
        said.append(
            f"{findings.n_fenced} networks are far worse than all others and count as {findings.fence:.3g} "
            "(Tukey's fence)"
        )
    for one, other, rho in findings.together:
        said.append(f"{one} and {other} go together (rank correlation {rho:+.2f}): their parts are hardly told apart")
    if findings.fixed:
        said.append(f"the same in all: {', '.join(findings.fixed)}")
    return said


def cells(findings: Findings) -> list[dict[str, str]]:
    """Return a row for each group, the most important for the error first, and for each descriptor of several.

    Columns are the name, then for the error and for the resources the part of the variance and the rank correlation.
    """
    parts = [{one.group: one.of_variance for one in of.importances} for of in findings.explanations]
    groups = list(dict.fromkeys([*parts[0], *parts[1], *findings.groups]))
    rows = []
    for group in groups:
        members = [i for i, of in enumerate(findings.groups) if of == group]
        texts = [f"{part[group]:%}" if group in part else "" for part in parts]
        alone = len(members) == 1
        rows.append(_row(group, texts, _with_rank(findings, members[0]) if alone else ["", ""]))
        rows += [] if alone else [_row(f"  {findings.names[i]}", ["", ""], _with_rank(findings, i)) for i in members]
    return rows


def _with_rank(findings: Findings, i: int) -> list[str]:
    return [f"{rho:+.2f}" for rho in findings.correlations[i, -2:]]


def _row(name: str, parts: list[str], ranks: list[str]) -> dict[str, str]:
    return {
        "what": name,
        "of the error's variance": parts[0],
        "with its rank": ranks[0],
        "of the resources'": parts[1],
        "with their rank": ranks[1],
    }

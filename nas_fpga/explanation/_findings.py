"""What mattered among candidates that were trained: to their figure of merit, and to what they cost."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.explanation._descriptors import describe
from nas_fpga.explanation._explain import Explanation, explain, rank_correlations
from nas_fpga.explanation._words import quality
from nas_fpga.hardware import log10_share
from nas_fpga.samplers import upper_fence
from nas_fpga.space import Candidate, TrainingSpace

if TYPE_CHECKING:
    from nas_fpga.study import Setup, TrialRecord

Array = NDArray[np.float64]

_TOGETHER = 0.5  # rank correlation from which two descriptors are named


@dataclass(frozen=True, eq=False, repr=False)
class Findings:
    """What mattered; prints as text.

    Attributes:
        merit, resource: Names of the figure of merit and of the resource share.
        error: To log10 of the figure of merit.
        resources: To log10 of the resource share.
        names: Of the descriptors that vary, then of both targets `(k + 2,)`.
        groups: Of those descriptors `(k,)`.
        correlations: Rank correlations between all of these `(k + 2, k + 2)`.
        fixed: Names of descriptors that do not vary.
        n_fenced: Trainings whose error is so far above all others that it counts as the fence.
        fence: Error that they count as.
    """

    merit: str
    resource: str
    error: Explanation
    resources: Explanation
    names: tuple[str, ...]
    groups: tuple[str, ...]
    correlations: Array
    fixed: tuple[str, ...]
    n_fenced: int
    fence: float

    @property
    def explanations(self) -> tuple[Explanation, Explanation]:
        """Of the error, then of the resources."""
        return self.error, self.resources

    @property
    def together(self) -> tuple[tuple[str, str, float], ...]:
        """Descriptors of two groups that go together, with their rank correlation: a model hardly tells them apart."""
        return tuple(
            (self.names[i], self.names[j], float(self.correlations[i, j]))
            for i in range(len(self.groups))
            for j in range(i + 1, len(self.groups))
            if self.groups[i] != self.groups[j] and abs(self.correlations[i, j]) >= _TOGETHER
        )

    @property
    def is_enough(self) -> bool:
        """Whether there were candidates enough to judge a surrogate by, whatever came of it."""
        return any(explanation.quality is not None for explanation in self.explanations)

    def __repr__(self) -> str:
        """Quality first, then the table of parts, then what to know beside it."""
        return text(self)

    def csv(self) -> str:
        """Return all numbers as CSV, one figure a line, with its interval where it has one."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["target", "figure", "of", "at", "value", "low", "high"])
        for explanation in self.explanations:
            for line in _lines(explanation):
                writer.writerow([explanation.target, *line])
        for i, name in enumerate(self.names):
            for j, other in enumerate(self.names[:i]):
                writer.writerow([name, "rank correlation", other, "", self.correlations[i, j], "", ""])
        return text.getvalue()

    def record(self) -> dict[str, Any]:
        """Return all numbers as names and plain values."""
        return {
            "explanations": [_record(explanation) for explanation in self.explanations],
            "correlations": {
                name: dict(zip(self.names, row, strict=True))
                for name, row in zip(self.names, self.correlations.tolist(), strict=True)
            },
            "together": [{"descriptors": [one, other], "rank_correlation": rho} for one, other, rho in self.together],
            "fixed": list(self.fixed),
            "fenced": self.n_fenced,
            "fence": self.fence,
        }


def _lines(explanation: Explanation) -> Iterator[tuple[object, ...]]:
    quality = explanation.quality
    if quality is not None:
        r = quality.r_squared
        yield "R2", "surrogate", "", r.value, r.low, r.high
        yield "rank correlation", "surrogate", "", quality.rank_correlation, "", ""
    for importance in explanation.importances:
        part = importance.of_variance
        yield "importance", importance.group, "", part.value, part.low, part.high
    for curve in explanation.dependences:
        for place, *band in zip(curve.places, curve.mean, curve.low, curve.high, strict=True):
            yield "partial dependence", curve.descriptor.name, place, *band


def _record(explanation: Explanation) -> dict[str, Any]:
    quality = explanation.quality
    return {
        "target": explanation.target,
        "quality": quality
        and {
            "trainings": quality.n_trainings,
            "candidates": quality.n_candidates,
            "r2": vars(quality.r_squared),
            "rank_correlation": quality.rank_correlation,
            "ceiling": quality.ceiling,
        },
        "verdict": explanation.verdict,
        "importances": [
            {"group": one.group, **vars(one.of_variance), "is_clear": one.is_clear} for one in explanation.importances
        ],
        "dependences": [
            {
                "descriptor": curve.descriptor.name,
                "group": curve.descriptor.group,
                **{name: getattr(curve, name).tolist() for name in ("places", "mean", "low", "high")},
            }
            for curve in explanation.dependences
        ],
    }


def explain_candidates(
    candidates: Sequence[Candidate],
    log10_errors: Array,
    log10_shares: Array,
    searched: TrainingSpace,
    seed: int,
    *,
    merit: str,
    resource: str,
) -> Findings:
    """Say what decided the figure of merit and the cost of trained candidates.

    Few networks that did not learn must not decide all: errors above Tukey's fence, 1.5 interquartile ranges above the
    third quartile, count as the fence.

    Args:
        candidates: One a training; those trained again stand again. Of none there is no conclusion.
        log10_errors: Of the figures of merit, lower is better `(n,)`.
        log10_shares: Of the resource shares `(n,)`.
        searched: Training settings that differ.
        seed: Of all random numbers.
        merit: Name of the figure of merit.
        resource: Name of the resource share.
    """
    rng = np.random.default_rng(seed)
    number = {candidate: i for i, candidate in enumerate(dict.fromkeys(candidates))}
    which = np.array([number[candidate] for candidate in candidates], np.int64)
    descriptors, values = describe(candidates, searched) if candidates else ((), np.zeros((0, 0)))
    fence = upper_fence(log10_errors) if candidates else 0.0
    varying = [k for k in range(len(descriptors)) if np.ptp(values[:, k]) > 0]
    names = f"log10 {merit}", f"log10 {resource}"
    ranked = np.column_stack([values[:, varying], log10_errors, log10_shares])
    return Findings(
        merit=merit,
        resource=resource,
        error=explain(names[0], values, descriptors, np.minimum(log10_errors, fence), which, rng),
        resources=explain(names[1], values, descriptors, log10_shares, which, rng),
        names=(*(descriptors[k].name for k in varying), *names),
        groups=tuple(descriptors[k].group for k in varying),
        correlations=rank_correlations(ranked),
        fixed=tuple(of.name for k, of in enumerate(descriptors) if k not in varying),
        n_fenced=int((log10_errors > fence).sum()),
        fence=10**fence,
    )


def explain_study(setup: Setup, trials: Sequence[TrialRecord], seed: int | None = None) -> Findings:
    """Say what mattered among the trials of a study, as trained; what polishing added takes no part.

    Learned bits give several networks a trial: the one that the sampler learned from counts. One that is over the
    limits counts as well. Failed trials and those without a checkpoint have no network and are left out.

    Args:
        setup: The rooms of the study.
        trials: All costed alike: by laws.
        seed: Of folds, trees and shuffles; None for the study's. With another one, what is said should hold too.

    Raises:
        InputError: The seed is negative.
    """
    seed = setup.definition.seed if seed is None else seed
    if seed < 0:
        raise InputError(f"--seed {seed} must not be negative")
    told = [(trial.candidate, trial.telling(setup.target)) for trial in trials]
    pairs = [(candidate, point) for candidate, point in told if point is not None]
    return explain_candidates(
        [candidate for candidate, _ in pairs],
        np.array([point.merits.log10_error for _, point in pairs]),
        np.array([log10_share(point.mapped.figures.share(setup.target)) for _, point in pairs]),
        setup.definition.searched,
        seed,
        merit=setup.merit_name,
        resource=setup.resource_name,
    )


# -- in words ------------------------------------------------------------------------------------------------


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

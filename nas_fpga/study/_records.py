"""What a study holds: points and trials, as values that read from and write to plain JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

import numpy as np

from nas_fpga.hardware import STRATEGIES, MappedPoint, Target, log10_share
from nas_fpga.samplers import hypervolume
from nas_fpga.space import Candidate, format_network
from nas_fpga.training import LearningCurve, Merits

TrialState = Literal["waiting", "running", "complete", "failed"]
ProposedBy = Literal["included", "random start", "sampler"]


@dataclass(frozen=True)
class Point:
    """One network of a trial under one mapping.

    Attributes:
        trial: Number of the trial.
        index: Which of the trial's points; names are ``TRIAL.K``. From 1000 on it is one that only a target other than
            the study's own keeps; whatever the target, a name is of one network and mapping.
        network: Which of the trial's networks.
        mapped: The mapping and its figures.
        merits: Of the network, on validation.
        topology: Widths of the network's hidden layers, which training may have pruned; None in studies from before
            that, where they are the candidate's.
        polished: Whether a network of the trial was trained on with learned bits to make this one.
    """

    trial: int
    index: int
    network: int
    mapped: MappedPoint
    merits: Merits
    topology: tuple[int, ...] | None = None
    polished: bool = False

    @property
    def name(self) -> str:
        """`17.0`."""
        return f"{self.trial}.{self.index}"

    @property
    def error(self) -> float:
        """Figure of merit on validation, lower is better: background efficiency, or error rate for several classes."""
        return self.merits.error


@dataclass(frozen=True)
class Outcome:
    """What came of a trial, or of polishing one.

    Attributes:
        points: Of a complete trial, network by network, each cheapest first.
        curve: Of a complete trial.
        duration_s: Training time.
        cause: Of a failed trial, one line.
        traceback: Of a failed trial, where there is one.
    """

    points: tuple[Point, ...] = ()
    curve: LearningCurve | None = None
    duration_s: float = 0.0
    cause: str | None = None
    traceback: str | None = None


@dataclass(frozen=True)
class TrialRecord:
    """One training: what was asked, and what came of it.

    Attributes:
        number: Place in the search.
        candidate: What is trained.
        seed: Of its initial weights and row orders.
        generation: Which generation it was proposed in.
        proposed_by: ``included``, ``random start`` or ``sampler``.
        state: ``complete`` and ``failed`` are ended.
        outcome: Of an ended trial.
        polished: What polishing one of its networks added, where that was done.
        started_at: When its training started, local time; None before, and where the storage does not know. Times
            differ from run to run, so two records are equal without them.
        ended_at: When it ended, likewise.
    """

    number: int
    candidate: Candidate
    seed: int
    generation: int
    proposed_by: ProposedBy
    state: TrialState = "waiting"
    outcome: Outcome = Outcome()
    polished: Outcome | None = None
    started_at: datetime | None = field(default=None, compare=False)
    ended_at: datetime | None = field(default=None, compare=False)

    @property
    def ended(self) -> bool:
        """Whether the trial is complete or failed."""
        return self.state in ("complete", "failed")

    @property
    def points(self) -> tuple[Point, ...]:
        """All points, those of its training first."""
        return self.outcome.points + (self.polished.points if self.polished else ())

    def with_points(self, points: Sequence[Point]) -> TrialRecord:
        """Return the trial with these points in place of its own."""
        trained, polished = (tuple(point for point in points if point.polished is kind) for kind in (False, True))
        return replace(
            self,
            outcome=replace(self.outcome, points=trained),
            polished=self.polished and replace(self.polished, points=polished),
        )

    def topology_of(self, point: Point) -> tuple[int, ...]:
        """Return the widths of the hidden layers of a network of this trial."""
        return point.topology or self.candidate.topology

    def name_of(self, point: Point) -> str:
        """Return what a network of this trial is, such as `64-32-32 w6a6` or `64-32 to 41-17 learned`."""
        return format_network(self.candidate, self.topology_of(point), polished=point.polished)

    def of_networks(self, target: Target) -> tuple[Point, ...]:
        """Return the cheapest feasible point of every network, or its nearest miss; the others it dominates.

        Of two that cost the same, distributed arithmetic is taken: its figures can be known best, and it can be proven.
        """
        found: dict[int, tuple[tuple[float, int], Point]] = {}
        for point in self.points:
            cost = point.mapped.figures.constrained_share(target), STRATEGIES.index(point.mapped.mapping.strategy)
            if point.network not in found or cost < found[point.network][0]:
                found[point.network] = cost, point
        return tuple(point for _, point in found.values())

    def primary(self, target: Target) -> Point | None:
        """Return the feasible point of best figure of merit, ties to the smaller share; else the nearest miss."""
        feasible = [point for point in self.outcome.points if point.mapped.figures.is_feasible(target)]
        if feasible:
            return min(feasible, key=lambda point: (point.error, point.mapped.figures.share(target), point.index))
        return min(self.outcome.points, key=lambda point: point.mapped.figures.constrained_share(target), default=None)

    def telling(self, target: Target) -> Point | None:
        """Return the point of its training that a sampler learns from; the nearest miss where none is feasible.

        It is the one that alone dominates the largest hypervolume. Of one network that is the primary point; of the
        many that learned bits give it is one of their knee, rather than the dearest.
        """
        feasible = [point for point in self.outcome.points if point.mapped.figures.is_feasible(target)]
        if not feasible:
            return self.primary(target)

        def order(point: Point) -> tuple[float, float, int]:
            share = log10_share(point.mapped.figures.share(target))
            return -hypervolume(np.array([point.merits.log10_error]), np.array([share])), share, point.index

        return min(feasible, key=order)

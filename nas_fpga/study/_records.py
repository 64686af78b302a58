"""What a study holds: points and trials, as values that read from and write to plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from nas_fpga.hardware import MappedPoint, Target
from nas_fpga.space import BitWidths, Candidate, TrainingSettings
from nas_fpga.training import LearningCurve, Merits

TrialState = Literal["waiting", "running", "complete", "failed"]
ProposedBy = Literal["included", "random start", "sampler"]


@dataclass(frozen=True)
class Point:
    """One network of a trial under one mapping.

    Attributes:
        trial: Number of the trial.
        index: Which of the trial's points; names are ``TRIAL.K``.
        network: Which of the trial's networks.
        mapped: The mapping and its figures.
        merits: Of the network, on validation.
    """

    trial: int
    index: int
    network: int
    mapped: MappedPoint
    merits: Merits

    @property
    def name(self) -> str:
        """`17.0`."""
        return f"{self.trial}.{self.index}"

    @property
    def error(self) -> float:
        """Figure of merit on validation, lower is better: background efficiency, or error rate for several classes."""
        return self.merits.error


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
        points: Of a complete trial, cheapest first; empty where no mapping is within the tools' reach.
        curve: Of a complete trial.
        duration_s: Training time.
        cause: Of a failed trial, one line.
    """

    number: int
    candidate: Candidate
    seed: int
    generation: int
    proposed_by: ProposedBy
    state: TrialState = "waiting"
    points: tuple[Point, ...] = ()
    curve: LearningCurve | None = None
    duration_s: float | None = None
    cause: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the trial is complete or failed."""
        return self.state in ("complete", "failed")

    def primary(self, target: Target) -> Point | None:
        """Return the feasible point of best figure of merit, ties to the smaller share; without one the cheapest."""
        feasible = [point for point in self.points if point.mapped.figures.is_feasible(target)]
        if feasible:
            return min(feasible, key=lambda point: (point.error, point.mapped.figures.share(target), point.index))
        return min(self.points, key=lambda point: point.mapped.figures.share(target), default=None)

    def outcome(self) -> dict[str, Any]:
        """Return what came of the trial as JSON values."""
        return {
            "points": [
                {"network": p.network, "mapped": p.mapped.to_json(), "merits": p.merits.to_json()} for p in self.points
            ],
            "curve": asdict(self.curve) if self.curve else None,
            "duration_s": self.duration_s,
            "cause": self.cause,
        }

    def with_outcome(self, state: TrialState, outcome: Mapping[str, Any]) -> TrialRecord:
        """Return the ended trial that :meth:`outcome` was written from."""
        points = tuple(
            Point(self.number, k, p["network"], MappedPoint.from_json(p["mapped"]), Merits.from_json(p["merits"]))
            for k, p in enumerate(outcome["points"])
        )
        curve = outcome["curve"]
        if curve is not None:
            curve = LearningCurve(tuple(curve["train_loss"]), tuple(curve["validation_loss"]), curve["best_epoch"])
        return replace(
            self, state=state, points=points, curve=curve, duration_s=outcome["duration_s"], cause=outcome["cause"]
        )


def candidate_to_json(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate as JSON values."""
    return asdict(candidate)


def candidate_from_json(values: Mapping[str, Any]) -> Candidate:
    """Return the candidate that :func:`candidate_to_json` wrote."""
    return Candidate(tuple(values["topology"]), BitWidths(**values["bits"]), TrainingSettings(**values["settings"]))

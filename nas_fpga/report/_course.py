"""How a search went: what was best after every trial, and after how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from nas_fpga.hardware import Target, log10_share
from nas_fpga.samplers import hypervolume
from nas_fpga.study import TrialRecord


@dataclass(frozen=True)
class Step:
    """One ended trial in the course of a search.

    Attributes:
        trial: Its number.
        network: `64-32 w6a4`.
        proposed_by: Who proposed it.
        error: Figure of merit on validation; None where it failed or is over the limits.
        best: Lowest error so far; None before the first.
        hypervolume: Of the feasible points so far.
        minutes: Of search until it ended, pauses left out; None where the storage has no times.
    """

    trial: int
    network: str
    proposed_by: str
    error: float | None
    best: float | None
    hypervolume: float
    minutes: float | None


def course(trials: Sequence[TrialRecord], target: Target) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Return the ended trials as steps: by number, and by the time they ended (empty where times are unknown)."""
    ended = [trial for trial in trials if trial.ended]
    spans = [(trial.started_at, trial.ended_at) for trial in ended]
    clock = _SearchClock([(start, end) for start, end in spans if start is not None and end is not None])
    by_time = [trial for trial in ended if trial.started_at is not None and trial.ended_at is not None]
    by_time.sort(key=lambda trial: (trial.ended_at, trial.number))
    return _steps(ended, target, clock), _steps(by_time, target, clock)


class _SearchClock:
    """Minutes during which at least one trial was in training: stops while the search was interrupted."""

    def __init__(self, spans: Sequence[tuple[datetime, datetime]]) -> None:
        self._merged: list[tuple[datetime, datetime]] = []
        for start, end in sorted(spans):
            if self._merged and start <= self._merged[-1][1]:
                self._merged[-1] = (self._merged[-1][0], max(end, self._merged[-1][1]))
            else:
                self._merged.append((start, end))

    def minutes(self, at: datetime | None) -> float | None:
        if at is None:
            return None
        return sum((min(end, at) - start).total_seconds() for start, end in self._merged if start < at) / 60


def _steps(trials: Sequence[TrialRecord], target: Target, clock: _SearchClock) -> tuple[Step, ...]:
    steps: list[Step] = []
    logs: list[tuple[float, float]] = []  # log10 error and share of the feasible points so far
    best: float | None = None
    volume = 0.0
    for trial in trials:
        feasible = [
            point
            for point in trial.of_networks(target)
            if point.mapped.figures.is_feasible(target) and not point.polished
        ]
        error = min((point.error for point in feasible), default=None)
        if error is not None:
            best = error if best is None else min(best, error)
            logs += [(p.merits.log10_error, log10_share(p.mapped.figures.share(target))) for p in feasible]
            volume = max(hypervolume(*np.array(logs).T), 0.0)
        minutes = clock.minutes(trial.ended_at)
        steps.append(Step(trial.number, str(trial.candidate), trial.proposed_by, error, best, volume, minutes))
    return tuple(steps)

"""Which trained networks are polished: trained on with learned bits, so that they cost less."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence

import numpy as np

from nas_fpga.hardware import Target, log10_share
from nas_fpga.samplers import hypervolume, non_dominated
from nas_fpga.study._records import Point, TrialRecord
from nas_fpga.training import POLISH_SAVING, polish_epochs

_EVERY = 20  # trials, as many as most samplers start with
_NOTHING = 1e-12  # of the hypervolume: sums of other terms are rounded otherwise


def rounds(n_ended: int, *, all_ended: bool) -> list[int]:
    """Return after how many trials networks are chosen, up to now: after every 20, and after the last.

    Args:
        n_ended: So many trials from the first on have ended.
        all_ended: Whether these are all.
    """
    ends = list(range(_EVERY, n_ended + 1, _EVERY))
    return [*ends, n_ended] if all_ended and n_ended % _EVERY else ends


def to_polish(
    records: Sequence[TrialRecord], target: Target, share: float, chosen: Collection[int] = ()
) -> list[tuple[TrialRecord, Point]]:
    """Return the trials of which a network is polished in one round, each with a point of that network.

    They are networks of the front, one a trial, as long as all of them take no more than their share of the epochs:
    first the most precise, then one by one that with which the hypervolume is expected to grow the most, beside what
    was chosen before. (The hypervolume alone would choose small networks, of which most of it is.) Expected is what
    polishing saves on average; what it comes to is not looked at, so that it does not matter when a search was
    interrupted or in which order results came.

    Args:
        records: The trials before the end of the round.
        target: Part, clock, rate and limits.
        share: Of the epochs that these trials had.
        chosen: Numbers of the trials that earlier rounds chose.
    """
    trained = [(record, point) for record in records for point in record.of_networks(target) if not point.polished]
    feasible = [(record, point) for record, point in trained if point.mapped.figures.is_feasible(target)]
    errors = np.array([point.merits.log10_error for _, point in feasible])
    shares = np.array([log10_share(point.mapped.figures.share(target)) for _, point in feasible])
    front: list[int] = np.flatnonzero(non_dominated(errors, shares)).tolist()
    numbers = [record.number for record, _ in feasible]
    epochs = [polish_epochs(record.candidate.settings) for record, _ in feasible]
    taken = [i for i, number in enumerate(numbers) if number in chosen]

    def volume(also: Sequence[int]) -> float:
        places = [*taken, *also]
        polished = shares[places] - POLISH_SAVING
        return hypervolume(np.append(errors[front], errors[places]), np.append(shares[front], polished))

    left = _epochs_left(records, share, chosen)
    most_precise = min(front, key=errors.__getitem__, default=-1)
    new: list[int] = []
    done = set(chosen)
    while rest := [i for i in front if numbers[i] not in done and epochs[i] <= left]:
        best = most_precise if most_precise in rest else max(rest, key=lambda i: volume([i]))
        if best != most_precise and volume([best]) < volume([]) + _NOTHING:  # points at the rim of the plane
            break
        taken.append(best)
        new.append(best)
        done.add(numbers[best])
        left -= epochs[best]
    return [feasible[i] for i in new]


def _epochs_left(records: Sequence[TrialRecord], share: float, chosen: Collection[int]) -> float:
    """Return what is left of a share of the epochs that trials had, after what earlier rounds chose."""
    curves = [record.outcome.curve for record in records if record.outcome.curve is not None]
    spent = sum(polish_epochs(records[number].candidate.settings) for number in chosen)
    return share * sum(len(curve.train_loss) for curve in curves) - spent


def n_ended_from_first(records: Sequence[TrialRecord]) -> int:
    """Return how many trials have ended before the first that has not."""
    return sum(1 for _ in itertools.takewhile(lambda record: record.ended, records))

"""Which trained networks are polished: trained on with learned bits, so that they cost less."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from nas_fpga.hardware import Target, log10_share
from nas_fpga.samplers import hypervolume, non_dominated
from nas_fpga.study._records import Point, TrialRecord
from nas_fpga.training import polish_epochs

_EVERY = 20  # trials, as many as most samplers start with


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

    They are those of the front without which all networks trained by then would lose the most hypervolume, one network
    a trial, as long as all that was chosen takes no more than its share of the epochs. What polishing itself adds to a
    front is not looked at, so that it does not matter when a search was interrupted or in which order results came.

    Args:
        records: The trials before the end of the round.
        target: Part, clock, rate and limits.
        share: Of the epochs that these trials had.
        chosen: Numbers of the trials that earlier rounds chose.
    """
    curves = [record.outcome.curve for record in records if record.outcome.curve is not None]
    spent = sum(polish_epochs(records[number].candidate.settings) for number in chosen)
    left = share * sum(len(curve.train_loss) for curve in curves) - spent
    new: dict[int, tuple[TrialRecord, Point]] = {}
    for record, point in _most_missed(records, target):
        own = polish_epochs(record.candidate.settings)
        if record.number not in chosen and record.number not in new and own <= left:
            new[record.number] = (record, point)
            left -= own
    return list(new.values())


def _most_missed(records: Sequence[TrialRecord], target: Target) -> Iterator[tuple[TrialRecord, Point]]:
    """Yield points of the front's trained networks, those first without which the hypervolume would be least."""
    trained = [(record, point) for record in records for point in record.of_networks(target) if not point.polished]
    feasible = [(record, point) for record, point in trained if point.mapped.figures.is_feasible(target)]
    errors = np.array([point.merits.log10_error for _, point in feasible])
    shares = np.array([log10_share(point.mapped.figures.share(target)) for _, point in feasible])
    front = np.flatnonzero(non_dominated(errors, shares))
    without = np.array([hypervolume(np.delete(errors, i), np.delete(shares, i)) for i in front])
    missed = without < hypervolume(errors, shares)  # points at the rim of the plane are not
    for i in front[missed][np.argsort(without[missed], kind="stable")]:
        yield feasible[i]


def n_ended_from_first(records: Sequence[TrialRecord]) -> int:
    """Return how many trials have ended before the first that has not."""
    return sum(1 for _ in itertools.takewhile(lambda record: record.ended, records))

"""Which trained networks are polished: trained on with learned bits, so that they cost less."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nas_fpga.hardware import Target, log10_share
from nas_fpga.samplers import hypervolume, non_dominated
from nas_fpga.study._records import Point, TrialRecord
from nas_fpga.training import polish_epochs


def to_polish(records: Sequence[TrialRecord], target: Target, n_epochs: float) -> list[tuple[TrialRecord, Point]]:
    """Return the trials whose network is polished, each with a point of that network, by number.

    They are those of the front without which all trained networks would lose the most hypervolume, one network a trial.
    What polishing itself adds to a front is not looked at, so that it does not matter when a search was interrupted. A
    search that goes on with more trials keeps what was polished before.

    Args:
        records: All trials.
        target: Part, clock, rate and limits.
        n_epochs: How many there are to spend.
    """
    trained = [(record, point) for record in records for point in record.of_networks(target) if not point.polished]
    feasible = [(record, point) for record, point in trained if point.mapped.figures.is_feasible(target)]
    errors = np.array([point.merits.log10_error for _, point in feasible])
    shares = np.array([log10_share(point.mapped.figures.share(target)) for _, point in feasible])
    front = np.flatnonzero(non_dominated(errors, shares))
    without = np.array([hypervolume(np.delete(errors, i), np.delete(shares, i)) for i in front])
    missed = without < hypervolume(errors, shares)  # points at the rim of the plane are not
    chosen: dict[int, tuple[TrialRecord, Point]] = {}
    for i in front[missed][np.argsort(without[missed], kind="stable")]:
        record, point = feasible[i]
        own = polish_epochs(record.candidate.settings)
        if record.number not in chosen and own <= n_epochs:
            chosen[record.number] = (record, point)
            n_epochs -= own
    return [chosen[number] for number in sorted(chosen)]

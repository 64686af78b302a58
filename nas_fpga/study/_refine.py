"""The best stage for the front: da4ml's adder graphs in place of laws, for the networks that it depends on.

Laws cost all networks of a search. An adder graph of trained weights is nearer to what is placed but takes up to
seconds, so only these networks in distributed arithmetic get one: those on the front, and contenders, which would be on
it if they cost as little as the intervals of the laws allow. One process makes them: those of a search of 24 trials
under 200 neurons took 4 CPU seconds, most of them for one network.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import StudyError
from nas_fpga.hardware import (
    MOST_GRAPH_LUTS,
    HardwareFigures,
    Target,
    cost_by_adder_graph,
    expected_graph_s,
    log10_share,
    no_fewer_than_adders,
)
from nas_fpga.space import rows_of
from nas_fpga.study._front import front_of
from nas_fpga.study._records import Point, TrialRecord
from nas_fpga.study._setup import Setup
from nas_fpga.study._storage import StudyStorage
from nas_fpga.training import ExpectedTime

GRAPH_SHARE = 0.1
"""Adder graphs of contenders are made as long as all graphs take no more than this share of the trainings' time."""

_TELL_EVERY_S = 5.0


@dataclass(frozen=True)
class Refined:
    """Trials with the figures that their front is judged by.

    Attributes:
        trials: With figures of adder graphs where they were made.
        by_law: Names of the points in distributed arithmetic, on the front or contenders, that have none: their graphs
            were too dear, or their checkpoints are lost.
    """

    trials: tuple[TrialRecord, ...]
    by_law: tuple[str, ...]


def graph_budget_s(setup: Setup, trials: Sequence[TrialRecord]) -> float:
    """Return the CPU seconds for adder graphs: :data:`GRAPH_SHARE` of what the trainings' epochs are expected to take.

    Expected seconds, as recorded ones differ from run to run, and a search that is repeated has the same front.
    """
    return GRAPH_SHARE * float(training_seconds(setup, trials).sum())


def training_seconds(setup: Setup, trials: Sequence[TrialRecord]) -> NDArray[np.float64]:
    """Return the seconds `(n,)` that the epochs which trials ran are expected to take, on some core; 0 of failed ones.

    Recorded seconds are those of a clock: they depend on what else the machine does and what trains in the same pack.
    """
    trained = [(i, trial, curve) for i, trial in enumerate(trials) if (curve := trial.outcome.curve) is not None]
    seconds = np.zeros(len(trials))
    if trained:
        expected = ExpectedTime(setup.dataset.features.shape[1], setup.dataset.n_outputs, len(setup.split.train))
        deepest = max(trial.candidate.n_layers for _, trial, _ in trained)
        rows = rows_of([trial.candidate for _, trial, _ in trained], deepest)
        epochs = np.array([len(curve.train_loss) for _, _, curve in trained])
        seconds[[i for i, _, _ in trained]] = expected(rows, epochs)
    return seconds


def refine(
    trials: Sequence[TrialRecord],
    storage: StudyStorage,
    target: Target,
    budget_s: float,
    *,
    message: Callable[[str], None],
) -> Refined:
    """Return trials of whose front no point in distributed arithmetic stands by law, unless its graph takes too long.

    In every round all that is on the front by then gets an adder graph, in any time. Once there is nothing left,
    contenders get theirs as long as they fit into the time, those first that would be the furthest inside the front.
    What gets one depends on the arguments alone.

    Args:
        trials: With figures of laws.
        storage: Has their networks.
        target: Part, clock, rate and limits.
        budget_s: CPU seconds that all graphs are expected to take at most, but for those of the front.
        message: Told now and then how far it is.
    """
    ladder = _Ladder(trials, storage, target)
    told, n_done = time.monotonic(), 0
    while True:
        chosen = ladder.on_front() or _affordable(ladder.contenders(), budget_s - ladder.spent_s)
        if not chosen:
            return Refined(tuple(ladder.records.values()), ladder.by_law())
        for place, point in enumerate(chosen):
            if time.monotonic() - told >= _TELL_EVERY_S:
                told = time.monotonic()
                message(f"Adder graphs of the front's networks: {n_done} done, {len(chosen) - place} to come")
            ladder.climb(point)
            n_done += 1


def _affordable(points: Sequence[Point], left_s: float) -> list[Point]:
    chosen = []
    for point in points:
        if (own_s := _expected_s(point)) <= left_s:
            chosen.append(point)
            left_s -= own_s
    return chosen


def _expected_s(point: Point) -> float:
    return expected_graph_s(point.mapped.figures.lut.value)


def with_graph(point: Point, by_graph: HardwareFigures, target: Target) -> Point:
    """Return a point, by law, of a network that has these figures by its adder graph.

    Latency is bound to them too: else the front would take whichever of two laws is off to the better side.
    """
    figures, strategy = point.mapped.figures, point.mapped.mapping.strategy
    if strategy == "distributed_arithmetic":
        figures = by_graph
    elif strategy == "latency":
        figures = no_fewer_than_adders(figures, by_graph, target)
    return replace(point, mapped=replace(point.mapped, figures=figures))


class _Ladder:
    """The points of a study, some with the figures of adder graphs.

    Args:
        trials: With figures of laws.
        storage: Has their networks.
        target: Part, clock, rate and limits.

    Attributes:
        records: The trials by their numbers, with the figures there are by now.
        spent_s: Expected CPU seconds of the graphs so far.
    """

    def __init__(self, trials: Sequence[TrialRecord], storage: StudyStorage, target: Target) -> None:
        """See the class."""
        self._storage, self._target = storage, target
        self.records = {trial.number: trial for trial in trials}
        self.spent_s = 0.0
        adders = [
            point
            for trial in trials
            for point in trial.points
            if point.mapped.mapping.strategy == "distributed_arithmetic"
        ]
        self._by_law = {point.name: point for point in adders}
        self._lowest = {point.name: self._share(point.mapped.figures.at_best()) for point in adders}
        self._without = {point.name for point in adders if point.mapped.figures.lut.value > MOST_GRAPH_LUTS}
        self._feasible = {trial.number: self._feasible_of(trial) for trial in trials}

    def on_front(self) -> list[Point]:
        """Return the points of the front that stand by law and can get a graph."""
        return [point for point in self._front() if point.name in self._by_law and point.name not in self._without]

    def contenders(self) -> list[Point]:
        """Return the points by law that can get a graph and may be on the front, the furthest inside it first."""
        return [point for point in self._may_be_on_front() if point.name not in self._without]

    def by_law(self) -> tuple[str, ...]:
        """Return the names of the points by law that are on the front, then of those that may be."""
        on_front = [point.name for point in self._front() if point.name in self._by_law]
        return tuple(dict.fromkeys([*on_front, *(point.name for point in self._may_be_on_front())]))

    def climb(self, point: Point) -> None:
        """Give a point, and others of its network, the adder graph's figures; none where its checkpoint is lost."""
        self.spent_s += _expected_s(point)
        record = self.records[point.trial]
        try:
            network = self._storage.load_network(record, point.network)
        except StudyError:
            self._without.add(point.name)
            return
        figures = cost_by_adder_graph(network, self._target).figures
        record = record.with_points(
            [with_graph(p, figures, self._target) if p.network == point.network else p for p in record.points]
        )
        self.records[point.trial], self._feasible[point.trial] = record, self._feasible_of(record)
        del self._by_law[point.name]

    def _feasible_of(self, trial: TrialRecord) -> list[Point]:
        return [p for p in trial.of_networks(self._target) if p.mapped.figures.is_feasible(self._target)]

    def _share(self, figures: HardwareFigures) -> float:
        return figures.share(self._target) if figures.is_feasible(self._target) else math.inf

    def _front(self) -> list[Point]:
        points = [point for feasible in self._feasible.values() for point in feasible]
        errors = np.array([point.error for point in points])
        shares = np.array([point.mapped.figures.share(self._target) for point in points])
        return [points[i] for i in front_of(errors, shares)]

    def _may_be_on_front(self) -> list[Point]:
        """Return the points by law that the front would have at the lower ends of their intervals."""
        front = [(point.error, point.mapped.figures.share(self._target)) for point in self._front()]
        inside = {}
        for name, point in self._by_law.items():
            to_beat = min((share for error, share in front if error <= point.error), default=1.0)
            if point.error < 1 and self._lowest[name] < to_beat:
                inside[name] = log10_share(to_beat) - log10_share(self._lowest[name])
        return [self._by_law[name] for name in sorted(inside, key=lambda name: -inside[name])]

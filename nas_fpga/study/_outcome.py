"""What a study comes to under some limits: its front with what may be said of it, as rows, CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import SearchFailedError, StudyError
from nas_fpga.hardware import Figure, rung_of
from nas_fpga.space import BitWidths, format_topology
from nas_fpga.study._front import (
    Knee,
    cheapest_as_good,
    find_knee,
    front_of,
    paired_standard_error,
    probability_undominated,
    selection_corrected,
)
from nas_fpga.study._records import Point, TrialRecord
from nas_fpga.study._refine import graph_budget_s, refine
from nas_fpga.study._setup import Setup
from nas_fpga.study._storage import StudyStorage
from nas_fpga.training import Interval, Merits, difference_interval, percentile_interval

_NAMED = 5  # points in one line
_FIGURES = (
    *("lut", "ff", "dsp", "bram18", "latency_cycles", "latency_ns", "ii_cycles"),
    *("period_ns", "achievable_latency_ns", "ebops"),
)


@dataclass(frozen=True)
class FrontRow:
    """One point of the front. Validation orders; test is computed once and orders nothing.

    Attributes:
        point: The point.
        trial: Its trial.
        share: Of the limits, all copies.
        interval: 95 % interval of the validation figure.
        difference_interval: 95 % interval of the validation figure minus that of the most precise point, over the same
            resamples; (0, 0) for that point itself.
        paired_standard_error: Of that difference, on the side of the most precise point.
        probability_undominated: Share of the resamples in which no cheaper point is at least as good.
        selection_corrected: The validation figure with the optimism of picking the best of many added.
        test: Figures of merit on test, at the working point of validation.
        test_interval: 95 % interval of the test figure; resamples both subsets.
        is_best: Cheapest within one paired standard error of the most precise.
        n_weights: Weights of the network that are not 0.
    """

    point: Point
    trial: TrialRecord
    share: float
    interval: Interval
    difference_interval: Interval
    paired_standard_error: float
    probability_undominated: float
    selection_corrected: float
    test: Merits
    test_interval: Interval
    is_best: bool
    n_weights: int


@dataclass(frozen=True, eq=False)
class StudyOutcome:
    """A finished study under its limits.

    Attributes:
        setup: The rooms it ran in.
        folder: Where it lies.
        trials: All trials; points of networks that the front depends on with figures of adder graphs.
        mapped: The same trials, all with figures of laws.
        front: The front, cheapest first.
        knee: Where more neurons stop to help.
        by_law: Names of points in distributed arithmetic, on the front or near it, that stand by law: adder graphs take
            too long.
        storage_url: Optuna storage of the study, None for SQLite in the folder.
        lost: Points whose checkpoint cannot be read, by name, with the reason; they take no part.
    """

    setup: Setup
    folder: Path
    trials: tuple[TrialRecord, ...]
    mapped: tuple[TrialRecord, ...]
    front: tuple[FrontRow, ...]
    knee: Knee
    by_law: tuple[str, ...] = ()
    storage_url: str | None = None
    lost: Mapping[str, str] = field(default_factory=dict)

    @property
    def best(self) -> FrontRow:
        """The cheapest point within one paired standard error of the most precise."""
        return next(row for row in self.front if row.is_best)

    @property
    def merit_name(self) -> str:
        """The figure of merit in words."""
        return self.setup.merit_name

    @property
    def by_law_note(self) -> str:
        """How many points stand by law, in words; empty where none does."""
        if not self.by_law:
            return ""
        names = ", ".join(self.by_law[:_NAMED]) + ", ..." * (len(self.by_law) > _NAMED)
        stand = "points stand" if len(self.by_law) > 1 else "point stands"
        return f"{len(self.by_law)} {stand} by law, on the front or near it, as adder graphs take too long: {names}"

    def csv(self) -> str:
        """Return the front as CSV, one line a point."""
        text = io.StringIO()
        records = [self.record(row) for row in self.front]
        writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        return text.getvalue()

    def record(self, row: FrontRow) -> dict[str, Any]:
        """Return a row of the front as names and plain values; empty where a figure does not exist."""
        topology, bits, figures = row.trial.topology_of(row.point), row.trial.candidate.bits, row.point.mapped.figures
        uniform = bits if isinstance(bits, BitWidths) and not row.point.polished else None
        target, merits, settings = self.setup.target, row.point.merits, row.trial.candidate.settings
        name = "background_efficiency" if merits.background_efficiency is not None else "error_rate"
        record: dict[str, Any] = {
            "point": row.point.name,
            "best": row.is_best,
            "topology": format_topology(topology),
            "weight_bits": uniform and uniform.weights,
            "activation_bits": uniform and uniform.activations,
            "polished": row.point.polished,
            "input_bits": self.setup.definition.input_bits,
            "neurons": sum(topology),
            "nonzero_weights": row.n_weights,
            "proposed_by": row.trial.proposed_by,
            **{
                name: None if row.point.polished else getattr(settings, name)
                for name in self.setup.definition.searched.names
            },
            "mapping": str(row.point.mapped.mapping),
            "copies": figures.copies,
            f"validation_{name}": merits.error,
            f"validation_{name}_low": row.interval[0],
            f"validation_{name}_high": row.interval[1],
            "probability_undominated": row.probability_undominated,
            f"selection_corrected_{name}": row.selection_corrected,
            "share": row.share,
        }
        for quantity in _FIGURES:
            figure: Figure | None = getattr(figures, quantity)
            for end, of in (("", "value"), ("_low", "low"), ("_high", "high")):
                record[quantity + end] = None if figure is None else getattr(figure, of)
        record["stage"], record["lut_from"] = figures.lut.stage, rung_of(figures.lut)
        record["part"], record["clock_ns"] = target.part.name, target.clock_ns
        record |= {
            f"test_{name}": row.test.error,
            f"test_{name}_low": row.test_interval[0],
            f"test_{name}_high": row.test_interval[1],
            "test_precision": row.test.precision,
            "test_accuracy": row.test.accuracy,
            "test_roc_auc": row.test.roc_auc,
            "test_average_precision": row.test.average_precision,
        }
        if row.test.threshold is not None:
            record["threshold"] = row.test.threshold
            record["test_signal_efficiency"] = row.test.signal_efficiency
            record["test_background_efficiency_all_rows"] = row.test.all_rows_background_efficiency
            record |= {f"test_background_efficiency {bin_name}": value for bin_name, value in row.test.by_bin}
        for class_name, auc in zip(self.setup.dataset.class_names, row.test.per_class_auc, strict=False):
            record[f"test_auc {class_name}"] = auc
        return record


def summarise_ended(
    setup: Setup, storage: StudyStorage, *, message: Callable[[str], None] = lambda _: None
) -> StudyOutcome:
    """Work out the front of a search that has ended; points whose checkpoint cannot be read take no part.

    Args:
        setup: The rooms.
        storage: Has the trials.
        message: Told now and then how far it is, if it takes long.

    Raises:
        StudyError: None of the checkpoints can be read.
        SearchFailedError: No trained network fits the limits.
    """
    lost: dict[str, str] = {}
    for trial in (trials := storage.trials()):  # with the times that the storage noted
        for index in dict.fromkeys(point.network for point in trial.points):
            try:
                storage.load_network(trial, index)
            except StudyError as error:
                lost |= {point.name: str(error) for point in trial.points if point.network == index}
    left = [trial.with_points([point for point in trial.points if point.name not in lost]) for trial in trials]
    refuse_loss_of_all(left, lost, storage.name)
    return replace(summarise(setup, storage, left, message=message), lost=lost)


def refuse_loss_of_all(trials: Sequence[TrialRecord], lost: Mapping[str, str], name: str) -> None:
    """Refuse a study none of whose networks can be read.

    Args:
        trials: With the points that are left.
        lost: The others by name, with the reason.
        name: Of the study.

    Raises:
        StudyError: Points are lost and none is left.
    """
    if lost and not any(trial.points for trial in trials):
        raise StudyError(f"no checkpoint of study '{name}' can be read: {next(iter(lost.values()))}")


def summarise(
    setup: Setup,
    storage: StudyStorage,
    trials: Sequence[TrialRecord],
    *,
    message: Callable[[str], None] = lambda _: None,
) -> StudyOutcome:
    """Work out the front of the ended trials at the best stage there is, and judge it on test.

    Args:
        setup: The rooms.
        storage: Has their networks and scores.
        trials: With figures of laws.
        message: Told now and then how far it is, if it takes long.

    Raises:
        SearchFailedError: No trained network fits the limits.
    """
    target = setup.target
    mapped = tuple(trials)
    refined = refine(mapped, storage, target, graph_budget_s(setup, mapped), message=message)
    trials = refined.trials
    points = [(trial, point) for trial in trials for point in trial.points]
    feasible = [
        (trial, point)
        for trial in trials
        for point in trial.of_networks(target)
        if point.mapped.figures.is_feasible(target)
    ]
    if not feasible:
        if not points:
            raise SearchFailedError(
                f"none of the {len(trials)} trials of study '{storage.name}' has ended with a network"
            )
        _, nearest = min(points, key=lambda pair: pair[1].mapped.figures.constrained_share(target))
        raise SearchFailedError(
            f"no trained network fits the limits; the nearest, {nearest.name}, needs "
            f"{', '.join(nearest.mapped.figures.violations(target))}; loosen the limits"
        )
    errors = np.array([point.error for _, point in feasible])
    shares = np.array([point.mapped.figures.share(target) for _, point in feasible])
    bootstrap = setup.bootstrap("validation")
    features = setup.dataset.features[setup.split.validation]
    scores = [storage.load_scores(trial, point.network, features) for trial, point in feasible]
    replicates = np.array([bootstrap.errors(logits) for logits in scores])
    undominated = probability_undominated(replicates, shares)
    corrected = selection_corrected(errors, replicates, shares)
    on_front = front_of(errors, shares)
    most_precise = on_front[np.lexsort((shares[on_front], errors[on_front]))[0]]
    best = cheapest_as_good(errors[on_front], replicates[on_front], shares[on_front])
    order = on_front[np.lexsort((errors[on_front], shares[on_front]))]
    judge = _TestJudge(setup, storage)
    rows = []
    for i in order:
        trial, point = feasible[i]
        thresholds = bootstrap.thresholds(scores[i]) if setup.dataset.n_classes == 2 else None
        test, test_interval, n_weights = judge(trial, point, thresholds)
        rows.append(
            FrontRow(
                point=point,
                trial=trial,
                share=float(shares[i]),
                interval=percentile_interval(replicates[i]),
                difference_interval=difference_interval(replicates[i], replicates[most_precise]),
                paired_standard_error=float(paired_standard_error(replicates[i] - replicates[most_precise])),
                probability_undominated=float(undominated[i]),
                selection_corrected=float(corrected[i]),
                test=test,
                test_interval=test_interval,
                is_best=bool(i == on_front[best]),
                n_weights=n_weights,
            )
        )
    neurons = [sum(trial.topology_of(point)) for trial, point in feasible]
    knee = find_knee(neurons, errors, replicates)
    return StudyOutcome(setup, storage.folder, trials, mapped, tuple(rows), knee, refined.by_law, storage.url)


class _TestJudge:
    """Judges networks on test rows, at working points chosen on validation rows."""

    def __init__(self, setup: Setup, storage: StudyStorage) -> None:
        self._setup, self._storage = setup, storage
        self._features = setup.dataset.features[setup.split.test]
        self._bootstrap = setup.bootstrap("test")

    def __call__(
        self, trial: TrialRecord, point: Point, thresholds: NDArray[np.float64] | None
    ) -> tuple[Merits, Interval, int]:
        """Return test merits, the interval of the figure of merit, and the network's non-zero weights."""
        network = self._storage.load_network(trial, point.network)
        logits = network.logits(self._features)
        merits = self._setup.evaluate(logits, "test", validation=point.merits if thresholds is not None else None)
        interval = percentile_interval(self._bootstrap.errors(logits, thresholds))
        n_weights = sum(int(np.count_nonzero(layer.weights)) for layer in network.layers)
        return merits, interval, n_weights

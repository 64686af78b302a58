"""The numbers of the front: every trained network, the points of the front, and the words for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas_fpga.hardware import HardwareFigures, rung_of
from nas_fpga.study import FrontRow, Knee, Point, StudyOutcome, TrialRecord


@dataclass(frozen=True)
class Network:
    """One trained network under its cheapest mapping, or one point of the front.

    Attributes:
        trial: Number of its trial.
        name: `17.0`.
        network: `64-32 w6a4`.
        error: Figure of merit on validation.
        share: Resource axis, all copies.
        lut, dsp: All copies.
        latency_ns: Of one inference.
        neurons: Hidden ones.
        fits: Whether it keeps the limits.
        lines: What a reader is told who points at it, a line each.
    """

    trial: int
    name: str
    network: str
    error: float
    share: float
    lut: float
    dsp: float
    latency_ns: float
    neurons: int
    fits: bool
    lines: tuple[str, ...]


@dataclass(frozen=True)
class FrontPoint:
    """A point of the front with what is drawn of it beside a :class:`Network`."""

    network: Network
    paired_standard_error: float
    test: float
    test_low: float
    test_high: float
    is_best: bool


@dataclass(frozen=True)
class FrontData:
    """What the plots of the front show.

    Attributes:
        merit: `pion efficiency at 95 % electron`, or `error rate`.
        axis: The resource axis in words.
        limits: What it is a share of.
        floor: Half a row of mean weight: where an error of 0 is drawn on a log axis.
        trained: All trained networks that are not on the front.
        front: Cheapest first.
        knee: Where size stops to matter.
    """

    merit: str
    axis: str
    limits: str
    floor: float
    trained: tuple[Network, ...]
    front: tuple[FrontPoint, ...]
    knee: Knee

    @property
    def most_precise(self) -> FrontPoint:
        """The point of best figure of merit on validation; of equals the cheapest."""
        return min(self.front, key=lambda point: (point.network.error, point.network.share))


def gather_front(outcome: StudyOutcome) -> FrontData:
    """Collect what the plots of the front show."""
    target, split = outcome.setup.target, outcome.setup.split
    data, rows = outcome.setup.dataset, split.validation
    of_interest = data.counted[rows] & (data.weights[rows] > 0)
    if data.n_classes == 2:
        of_interest &= data.labels[rows] == 0
    on_front = {(row.trial.number, row.point.network) for row in outcome.front}
    return FrontData(
        merit=outcome.merit_name,
        axis=f"{outcome.setup.resource_name}, all copies",
        limits=outcome.setup.limits_name,
        floor=0.5 / int(np.count_nonzero(of_interest)),
        trained=tuple(
            _network(outcome, trial, point)
            for trial in outcome.trials
            for point in trial.of_networks(target)
            if (trial.number, point.network) not in on_front
        ),
        front=tuple(_front_point(outcome, row) for row in outcome.front),
        knee=outcome.knee,
    )


def short_part(name: str) -> str:
    """Return `XCVU13P` of `xcvu13p-flga2577-2-e`."""
    return name.partition("-")[0].upper()


def _network(outcome: StudyOutcome, trial: TrialRecord, point: Point) -> Network:
    target, figures = outcome.setup.target, point.mapped.figures
    violations = figures.violations(target)
    lines = [*_costs(point, figures), f"{outcome.merit_name}: {point.error:.4f} on validation"]
    lines += [f"over the limits: {', '.join(violations)}"] if violations else []
    lines.append(f"proposed by: {trial.proposed_by}")
    return Network(
        trial=trial.number,
        name=point.name,
        network=trial.name_of(point),
        error=point.error,
        share=figures.share(target),
        lut=figures.total("lut"),
        dsp=figures.total("dsp"),
        latency_ns=figures.latency_ns.value,
        neurons=sum(trial.topology_of(point)),
        fits=not violations,
        lines=tuple(lines),
    )


def _front_point(outcome: StudyOutcome, row: FrontRow) -> FrontPoint:
    network = _network(outcome, row.trial, row.point)
    low, high = row.difference_interval
    lines = (
        *_costs(row.point, row.point.mapped.figures),
        f"{row.share:.2%} of {outcome.setup.limits_name}, all copies",
        f"{outcome.merit_name}:",
        f"  validation {row.point.error:.4f} [{row.interval[0]:.4f}, {row.interval[1]:.4f}]",
        f"  test {row.test.error:.4f} [{row.test_interval[0]:.4f}, {row.test_interval[1]:.4f}], "
        f"precision {row.test.precision:.4f}",
        f"minus the most precise, paired: [{low:+.4f}, {high:+.4f}]",
        f"P(front) {row.probability_undominated:.2f}",
    )
    return FrontPoint(
        network=Network(**{**vars(network), "lines": lines}),
        paired_standard_error=row.paired_standard_error,
        test=row.test.error,
        test_low=row.test_interval[0],
        test_high=row.test_interval[1],
        is_best=row.is_best,
    )


def _costs(point: Point, figures: HardwareFigures) -> tuple[str, ...]:
    lut = figures.lut
    copies = f"{figures.copies} copies" if figures.copies > 1 else "1 copy"
    return (
        f"mapping {point.mapped.mapping}, {copies}",
        f"{lut.value:,.0f} LUT [{lut.low:,.0f}, {lut.high:,.0f}], {figures.dsp.value:,.0f} DSP a copy, "
        f"{lut.stage} by {rung_of(lut)}",
        f"latency {figures.latency_ns.value:,.0f} ns",
    )

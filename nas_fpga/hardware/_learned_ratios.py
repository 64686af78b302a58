"""Learns ratios between stages from designs that were counted at several of them.

Units are networks, never reports or rows: several designs of one network are averaged first. The logarithm of a ratio
is normal with a mean of the user's flow, which is normal around the shipped one; half of the variance in the shipped
interval is that of flows, half that of networks (an assumption). So the first network moves the ratio half of the way,
and more of them by what is left of that prior; how networks scatter is theirs and the shipped scatter, which weighs as
half a network. The interval is that of Student's t for a further network, and no wider than the shipped one unless a
network was seen beyond that: one or two networks keep the shipped interval.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nas_fpga.errors import InputError
from nas_fpga.hardware._calibration import MOST_RATIO, Calibration
from nas_fpga.hardware._figures import RESOURCES, STAGES, Resource, Stage
from nas_fpga.hardware._stages import SHIPPED, StageRatio, shipped_ratio
from nas_fpga.hardware._strategies import STRATEGIES, Strategy

# What a stage is compared with, and the order in which stages are learned: a later one first, as it carries the others.
# The laws are compared with csynth too; an adder graph is not, as csynth says less of the design than the graph itself.
_LATER: dict[Stage, tuple[Stage, ...]] = {
    "vendor-synthesis": ("place-and-route",),
    "logic-synthesis": ("place-and-route", "vendor-synthesis"),
    "csynth": ("place-and-route", "vendor-synthesis", "logic-synthesis"),
    "adder-graph": ("place-and-route", "vendor-synthesis", "logic-synthesis"),
    "estimate": ("place-and-route", "vendor-synthesis", "logic-synthesis", "csynth"),
}
_NORMAL = 1.6449  # half-width of the 90 % interval in standard deviations
_SHIPPED_WEIGHT = 0.5  # networks; see benchmarks/estimators/calibration.py


@dataclass(frozen=True)
class StageCounts:
    """What one design takes, as one stage counts it.

    Attributes:
        design: Its name.
        network: Which network it is of: those of one network count once.
        strategy: Of its mapping.
        stage: Which counts.
        counts: By resource, above 0 but for DSPs and block memories; only what is known.
    """

    design: str
    network: str
    strategy: Strategy
    stage: Stage
    counts: Mapping[Resource, float]


@dataclass(frozen=True)
class Learned:
    """What designs taught.

    Attributes:
        calibration: The ratios.
        designs: Names of the designs it rests on.
        left_out: One line for each design that says nothing of a ratio.
    """

    calibration: Calibration
    designs: tuple[str, ...]
    left_out: tuple[str, ...]


def learn(counted: Sequence[StageCounts], shipped: Sequence[StageRatio] = SHIPPED) -> Learned:
    """Learn ratios between stages.

    Args:
        counted: Designs, each at the stages that are known of it.
        shipped: What is known without them.

    Raises:
        InputError: A design stands twice at one stage, two of its stages differ by more than :data:`MOST_RATIO`, or no
            design has two stages that can be compared.
    """
    designs = _by_design(counted)
    for name, stages in designs.items():
        _check(name, stages)
    ratios: list[StageRatio] = []
    for strategy, (stage, later), resource in itertools.product(STRATEGIES, _LATER.items(), RESOURCES):
        of_strategy = [stages for stages in designs.values() if next(iter(stages.values())).strategy == strategy]
        known = Calibration(tuple(ratios))
        found = [
            _learned_ratio(samples, (stage, strategy, resource), reference, known, shipped)
            for reference in later
            if (samples := list(_samples(of_strategy, stage, reference, resource)))
        ]
        if found:
            ratios.append(min(found, key=lambda ratio: ratio.spread))
    used = [name for name, stages in designs.items() if _is_pair(stages)]
    if not ratios:
        raise InputError(
            f"none of {len(designs)} designs is counted at two stages that can be compared, such as csynth and "
            "place-and-route; add reports of later stages"
        )
    left_out = [
        f"{name} is left out: it has {' and '.join(stages)} only"
        for name, stages in designs.items()
        if name not in used
    ]
    return Learned(Calibration(tuple(ratios)), tuple(used), tuple(left_out))


# Network, logarithm of what the reference counts over what the stage does, what the stage does.
_Sample = tuple[str, float, float]


def _by_design(counted: Sequence[StageCounts]) -> dict[str, dict[Stage, StageCounts]]:
    """Return the designs by name, with their stages in the order of the tool flow."""
    designs: dict[str, dict[Stage, StageCounts]] = {}
    for one in counted:
        stages = designs.setdefault(one.design, {})
        if one.stage in stages:
            raise InputError(f"design {one.design} stands twice at {one.stage}; give every design a name of its own")
        if any(other.strategy != one.strategy for other in stages.values()):
            raise InputError(f"design {one.design} has two strategies; give every design a name of its own")
        stages[one.stage] = one
    return {name: {stage: stages[stage] for stage in STAGES if stage in stages} for name, stages in designs.items()}


def _check(name: str, stages: Mapping[Stage, StageCounts]) -> None:
    """Refuse a design whose stages cannot be those of one design."""
    for (first, one), (second, other) in itertools.combinations(stages.items(), 2):
        for resource in RESOURCES:
            a, b = one.counts.get(resource, 0.0), other.counts.get(resource, 0.0)
            if a > 0 and b > 0 and not 1 / MOST_RATIO <= a / b <= MOST_RATIO:
                raise InputError(
                    f"design {name} has {a:,.0f} {resource.upper()} at {first} and {b:,.0f} at {second}: a factor "
                    f"above {MOST_RATIO:g} is of no one design; check its reports, or leave it out"
                )


def _is_pair(stages: Mapping[Stage, StageCounts]) -> bool:
    """Return whether a design says something of a ratio."""
    return any(
        True
        for stage, later in _LATER.items()
        for reference, resource in itertools.product(later, RESOURCES)
        for _ in _samples([stages], stage, reference, resource)
    )


def _samples(
    designs: Sequence[Mapping[Stage, StageCounts]], stage: Stage, reference: Stage, resource: Resource
) -> Iterator[_Sample]:
    """Yield what the designs say of one ratio; 0 at either stage says nothing of it."""
    for stages in designs:
        if stage in stages and reference in stages:
            before, after = (stages[each].counts.get(resource, 0.0) for each in (stage, reference))
            if before > 0 and after > 0:
                yield stages[stage].network, math.log(after / before), before


def _learned_ratio(
    samples: Sequence[_Sample],
    of: tuple[Stage, Strategy, Resource],
    reference: Stage,
    known: Calibration,
    shipped: Sequence[StageRatio],
) -> StageRatio:
    """Return the ratio of one stage, by what designs have at a reference."""
    stage, strategy, resource = of
    onward = known.ratio(reference, strategy, resource) or shipped_ratio(reference, strategy, resource, shipped)
    expected = shipped_ratio(stage, strategy, resource, shipped)
    networks: dict[str, list[float]] = {}
    for network, log, _ in samples:
        networks.setdefault(network, []).append(log)
    logs = np.array([np.mean(each) for each in networks.values()]) + math.log(onward.ratio)
    mean, spread = _predicted(logs, math.log(expected.ratio), expected.spread, onward.spread)
    sizes = [size for *_, size in samples]
    return StageRatio(*of, math.exp(mean), spread, len(logs), (min(sizes), max(sizes)), reference)


def _predicted(
    logs: np.ndarray[tuple[int], np.dtype[np.float64]], expected: float, expected_spread: float, common_spread: float
) -> tuple[float, float]:
    """Return mean and half-width of the 90 % interval of a further network's logarithm.

    Args:
        logs: `(n,)` one of each network.
        expected: What is shipped.
        expected_spread: Its half-width.
        common_spread: Half-width of what all of them have in common: the ratio of their reference to place and route.
    """
    from scipy.special import stdtrit

    n, common = len(logs), (common_spread / _NORMAL) ** 2
    of_flows = of_networks = (expected_spread / _NORMAL) ** 2 / 2
    freedom = _SHIPPED_WEIGHT + n - 1
    scatter = (_SHIPPED_WEIGHT * of_networks + float(np.square(logs - logs.mean()).sum())) / freedom
    of_mean = 1 / (1 / of_flows + 1 / (common + scatter / n))
    weight = of_mean / of_flows  # of what is shipped
    mean = weight * expected + (1 - weight) * float(logs.mean())
    student = float(stdtrit(freedom, 0.95)) * math.sqrt(scatter + of_mean)
    farthest = float(np.square(logs - mean).max()) - common_spread**2  # squared, by itself
    return mean, min(student, max(expected_spread, math.sqrt(max(farthest, 0.0))))

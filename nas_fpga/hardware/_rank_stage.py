"""Carries figures to the stage at which designs are ranked, by shipped ratios or those of a calibration.

Laws give figures at place and route, by shipped ratios. What a calibration knows replaces these: its ratio of the laws
themselves (stage `estimate`) if it has one, else that of the stage which the law speaks of. Then a ratio takes the
figure to the stage of ranking. A figure whose own stage is that one is not carried, and has the narrower interval of
its law alone. Independent factors: squares of the half-widths of logarithms add up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nas_fpga.hardware._calibration import OUTSIDE_SIZE
from nas_fpga.hardware._cost_array import HIGH, LOW, ORIGINAL, QUANTITIES, VALUE
from nas_fpga.hardware._figures import RESOURCES, Resource, Stage
from nas_fpga.hardware._limits import Target
from nas_fpga.hardware._stages import LAW_STAGES, StageRatio, combined, shipped_ratio
from nas_fpga.hardware._strategies import Strategy
from nas_fpga.hardware._traits import Array


def at_rank_stage(costs: Array, strategy: Strategy, target: Target) -> Array:
    """Return a cost array `(7, 4, ...)` of laws at the stage of ranking; originals stay as they are.

    Args:
        costs: At place and route, by shipped ratios.
        strategy: Of all designs in it.
        target: Has the stage of ranking and the calibration.
    """
    if target.calibration is None and target.rank_stage == "place-and-route":
        return costs
    found = costs.copy()
    for name in RESOURCES:
        row = costs[QUANTITIES.index(name)]
        own = LAW_STAGES[strategy]
        carried = _of_law(row, own, strategy, name, target)
        direct = _of_law(row, None, strategy, name, target)
        found[QUANTITIES.index(name)] = np.where(np.isnan(row[ORIGINAL]), direct, carried)
    return found


def carried_count(
    count: float, stage: Stage, strategy: Strategy, resource: Resource, target: Target
) -> tuple[float, float, float]:
    """Return value and interval at the stage of ranking of what was counted at another: an adder graph, a netlist."""
    row = np.array([count, count, count, np.nan])
    if stage != target.rank_stage:
        row = _times(row, _best_ratio(stage, strategy, resource, target))
        row = _to_rank_stage(row, strategy, resource, target)
    return float(row[VALUE]), float(row[LOW]), float(row[HIGH])


def how_carried(law: Sequence[float], strategy: Strategy, resource: Resource, target: Target) -> str:
    """Return what the source of a figure adds to its law: the calibration and the stage of ranking; empty without.

    Args:
        law: `(4,)` as the law gave it.
        strategy: Of the design.
        resource: What is counted.
        target: Has both.
    """
    said = ""
    has_original = not math.isnan(law[ORIGINAL])
    learned = _learned(strategy, resource, has_original, target)
    if learned is not None:
        counted = law[VALUE] / shipped_ratio(learned.stage, strategy, resource).ratio
        beyond = ", beyond their sizes" if _outside(np.array(counted), learned) else ""
        said = f"; calibrated by {learned.n_designs} designs (x {learned.ratio:.2f} of {learned.stage}{beyond})"
    if target.rank_stage != "place-and-route":
        said += f"; ranked at {target.rank_stage}"
    return said


def _learned(strategy: Strategy, resource: Resource, has_original: bool, target: Target) -> StageRatio | None:
    """Return the learned ratio that a law's figure is carried with, if any: that of the law, else of its stage."""
    if target.calibration is None:
        return None
    of_law = target.calibration.ratio("estimate", strategy, resource)
    if of_law is not None or not has_original or LAW_STAGES[strategy] == target.rank_stage:
        return of_law
    return target.calibration.ratio(LAW_STAGES[strategy], strategy, resource)


def _of_law(row: Array, own: Stage | None, strategy: Strategy, resource: Resource, target: Target) -> Array:
    """Return the row `(4, ...)` of one resource at the stage of ranking; ``own`` is the law's stage if it has one."""
    learned = _learned(strategy, resource, own is not None, target)
    if learned is not None and learned.stage == "estimate":
        row = _times(row, learned, without=shipped_ratio("estimate", strategy, resource).spread)
    elif own is not None and own == target.rank_stage:
        shipped = shipped_ratio(own, strategy, resource)
        return _moved(row, 1 / shipped.ratio, without=shipped.spread)
    elif own is not None and learned is not None:
        shipped = shipped_ratio(own, strategy, resource)
        row = _times(_moved(row, 1 / shipped.ratio), learned, without=shipped.spread)
    return _to_rank_stage(row, strategy, resource, target)


def _to_rank_stage(row: Array, strategy: Strategy, resource: Resource, target: Target) -> Array:
    """Return a row `(4, ...)` at the stage of ranking from one at place and route."""
    if target.rank_stage == "place-and-route":
        return row
    ratio = _best_ratio(target.rank_stage, strategy, resource, target)
    counted = _moved(row, 1 / ratio.ratio)
    return _moved(counted, 1.0, _spread(counted[VALUE], ratio))


def _best_ratio(stage: Stage, strategy: Strategy, resource: Resource, target: Target) -> StageRatio:
    """Return the learned ratio of a stage, else the shipped one."""
    learned = None if target.calibration is None else target.calibration.ratio(stage, strategy, resource)
    return learned or shipped_ratio(stage, strategy, resource)


def _times(row: Array, ratio: StageRatio, without: float = 0.0) -> Array:
    """Return a row `(4, ...)` of a ratio's stage at place and route; its spread replaces the one that is taken away."""
    return _moved(row, ratio.ratio, _spread(row[VALUE], ratio), without)


def _spread(counted: Array, ratio: StageRatio) -> Array:
    """Return a ratio's half-width `(...)` for what its stage counted; outside what was seen the shipped adds up."""
    if ratio.sizes is None or ratio.strategy is None:
        return np.full_like(counted, ratio.spread)
    shipped = shipped_ratio(ratio.stage, ratio.strategy, ratio.resource)
    return np.where(_outside(counted, ratio), combined(ratio.spread, shipped.spread), ratio.spread)


def _outside(counted: Array, ratio: StageRatio) -> NDArray[np.bool_]:
    if ratio.sizes is None:
        return np.zeros_like(counted, np.bool_)
    least, most = ratio.sizes
    found: NDArray[np.bool_] = (counted > 0) & ((counted < least / OUTSIDE_SIZE) | (counted > most * OUTSIDE_SIZE))
    return found


def _moved(row: Array, factor: float, added: Array | float = 0.0, without: float = 0.0) -> Array:
    """Return a row `(4, ...)` times a factor, with one half-width put in place of another in its intervals.

    Some laws have intervals without the ratio's spread (DSPs): what is taken away leaves the narrower of what there was
    and what is put in. An end of 0, and one above a value of 0, only take the factor.
    """
    found = row.copy()
    found[VALUE] = row[VALUE] * factor
    reached = (row[VALUE] > 0) & (row[LOW] > 0)
    for end, sign, has_share in ((LOW, -1, reached), (HIGH, 1, row[VALUE] > 0)):
        half = np.abs(np.log(np.divide(row[end], row[VALUE], out=np.ones_like(row[end]), where=has_share)))
        new = np.sqrt(np.maximum(half**2 + np.square(added) - without**2, np.square(np.minimum(half, added))))
        found[end] = np.where(has_share, found[VALUE] * np.exp(sign * new), row[end] * factor)
    return found

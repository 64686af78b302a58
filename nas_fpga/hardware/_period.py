"""The clock period that a design achieves, from its size: what is asked for is what large designs miss.

In distributed arithmetic it is the law of 20 JEDI-linear designs, placed and routed on a VU13P and asked for 2 ns:
1.81 + 0.00471 sqrt(LUT) ns, fitted and judged by ``benchmarks/estimators/period.py``. Each design left out, its median
error is 4.7 % and its worst 17.5 %. Other families of parts are taken to be as fast, which older ones are not.

hls4ml's projects have no such report: their scheduler cuts to the clock that is asked for, and the law, which is of
adders too, is what keeps a large one from it. That interval is assumed, and wide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nas_fpga.hardware._cost_array import spread
from nas_fpga.hardware._traits import Array

_CONSTANT_NS, _SQRT_LUT_NS = 1.81, 0.00471
# What the designs are of. The reports do not say how many levels of adders lie between two registers; two, a level for
# each ns asked, is an assumption.
LEVELS_SEEN, _CLOCK_SEEN_NS, _LUTS_SEEN = 2, 2.0, (35_684.0, 295_715.0)
# Half-width of the 90 % prediction interval of the logarithm: quantile of the residuals, the designs of a pair (same
# particles and features) left out together.
_SPREAD = 0.19
# Assumed beyond what was seen. Up to so much of a period does not grow with its levels: registers, their wires, skew.
_FIXED_SHARE = 0.3
# Half-width that each factor of e adds, in the clock asked for and in LUTs.
_CLOCK_SPREAD, _LUT_SPREAD = 0.1, 0.05
# hls4ml's, assumed: a factor of 1.5 either way. The schedulers themselves leave 12.5 % (Vivado) to 27 % (Vitis) of the
# clock for what they do not know of wires.
_SCHEDULED_SPREAD = 0.4


def adder_levels_per_cycle(lut: float, clock_ns: float) -> int:
    """Return how many levels of adders fit between two registers, at least one.

    Args:
        lut: Placed LUTs of the whole design: large designs have longer wires, hence fewer levels.
        clock_ns: Period of the clock.
    """
    return int(levels_per_cycle(lut, clock_ns))


def levels_per_cycle(lut: ArrayLike, clock_ns: float) -> Array:
    """Return the levels `(...)` of adders that fit between two registers for placed LUTs `(...)`, at least one."""
    levels: Array = np.maximum(np.floor(clock_ns / (_law(lut) / LEVELS_SEEN)), 1.0)
    return levels


def adder_period(lut: ArrayLike, lut_spread: ArrayLike, levels: ArrayLike, clock_ns: float) -> Array:
    """Return the achieved period in ns `(4, ...)` of a design in distributed arithmetic, as in a cost array.

    Args:
        lut: Placed LUTs of one copy.
        lut_spread: Half-width of the interval of their logarithm.
        levels: Most levels of adders between two registers.
        clock_ns: The period that is asked for; what was seen is of 2 ns.
    """
    luts, of_seen = np.asarray(lut, np.float64), np.asarray(levels, np.float64) / LEVELS_SEEN
    half_widths: tuple[ArrayLike, ...] = (
        _SPREAD,
        np.log(_FIXED_SHARE / of_seen + 1 - _FIXED_SHARE),
        _CLOCK_SPREAD * np.log(clock_ns / _CLOCK_SEEN_NS),
        _LUT_SPREAD * np.log(np.maximum(luts, 1.0) / np.clip(luts, *_LUTS_SEEN)),  # 0 within
        period_growth(luts) * np.asarray(lut_spread),
    )
    return spread(of_seen * _law(luts), np.sqrt(sum(np.square(x) for x in half_widths)))


def scheduled_period(lut: ArrayLike, lut_spread: ArrayLike, clock_ns: float) -> Array:
    """Return the achieved period in ns `(4, ...)` of an hls4ml project, as in a cost array.

    Args:
        lut: Placed LUTs of one copy.
        lut_spread: Half-width of the interval of their logarithm.
        clock_ns: The period that its scheduler cuts to.
    """
    return spread(
        np.maximum(_law(lut), clock_ns), np.hypot(_SCHEDULED_SPREAD, period_growth(lut) * np.asarray(lut_spread))
    )


def period_growth(lut: ArrayLike) -> Array:
    """Return the power `(...)` of its LUTs that a period grows by, below a half: an unsure factor of LUTs counts so."""
    growth: Array = 0.5 * (1 - _CONSTANT_NS / _law(lut))
    return growth


def _law(lut: ArrayLike) -> Array:
    """Return the period in ns `(...)` of designs with as many levels as were seen."""
    period: Array = _CONSTANT_NS + _SQRT_LUT_NS * np.sqrt(np.asarray(lut, np.float64))
    return period

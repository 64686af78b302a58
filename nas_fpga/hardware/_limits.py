"""Limits of a design: a region of a part, a latency, and the rate that must be sustained."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nas_fpga.errors import InputError
from nas_fpga.hardware._calibration import Calibration, as_calibration
from nas_fpga.hardware._figures import RESOURCES, STAGES, Resource, Stage
from nas_fpga.hardware._parts import DEFAULT_PART, Part, find_part

Objective = Literal["share", "lut", "ff", "dsp", "bram", "latency"]
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
RANK_STAGES: tuple[Stage, ...] = tuple(stage for stage in STAGES if stage != "estimate")
"""Stages at which designs can be compared: those that count."""
LEAST_CLOCK_NS = 1.0  # block RAMs and DSPs of the fastest parts end below 900 MHz
MOST_CLOCK_NS, MOST_RATE_MHZ = 1e6, 1e6  # far beyond any design; copies are counted in 64 bits
LEAST_SHARE = 1e-6  # lower end of the resource axis, and of the hypervolume: a resource may not be used at all
UNLIMITED = "unlimited"
"""The region in which nothing is refused."""
DEFAULT_LATENCY_NS = 1000.0
_JUST_BELOW_1 = math.nextafter(1.0, 0.0)
MAY_BE_NONE: tuple[Resource, ...] = ("dsp", "bram18")
"""Resources that a design can do without: one in distributed arithmetic has none of them."""
_SHARE_OF = {"bram": "bram18"}  # objectives that are not named as their share is


@dataclass(frozen=True)
class Limits:
    """The most that a design may use, all its copies together; hard.

    Attributes:
        lut: Look-up tables.
        ff: Flip-flops.
        dsp: DSP slices; 0 where there are to be none.
        bram18: Block memories of 18 Kbit; 0 where there are to be none.
        latency_ns: From the first input to the last output of one inference.
    """

    lut: float
    ff: float
    dsp: float
    bram18: float
    latency_ns: float


@dataclass(frozen=True)
class Target:
    """What a design is made for: part, clock, rate, limits, which resource is its axis, and the stage of ranking.

    Attributes:
        part: The FPGA.
        clock_ns: Period of its clock.
        rate_mhz: Inferences per microsecond that must be sustained.
        limits: Hard limits.
        objective: Which share is the resource axis: the largest (`share`) or that of one resource.
        rank_stage: The stage that all figures are carried to and at which they are compared with limits and each other.
        calibration: Ratios between stages in place of shipped ones.
        unlimited: Whether nothing is refused, whatever it takes; the limits are then only what shares are shares of.
    """

    part: Part
    clock_ns: float
    rate_mhz: float
    limits: Limits
    objective: Objective = "share"
    rank_stage: Stage = "place-and-route"
    calibration: Calibration | None = None
    unlimited: bool = False

    @property
    def axis(self) -> tuple[str, ...]:
        """The shares of limits whose largest is the resource axis: those of all resources, or one of the objective."""
        return RESOURCES if self.objective == "share" else (_SHARE_OF.get(self.objective, self.objective),)

    @property
    def longest_latency_ns(self) -> float:
        """The latency beyond which a design is refused; infinite where nothing is."""
        return math.inf if self.unlimited else self.limits.latency_ns

    def copies(self, ii_cycles: ArrayLike) -> NDArray[np.int64]:
        """Return how many copies sustain the rate when each takes a new input every ``ii_cycles``, both `(...)`.

        A quotient within 1e-9 of an integer counts as that integer: 40 MHz x 5 ns x 5 cycles is one copy, not two.
        """
        steps = self.rate_mhz * 1e-3 * self.clock_ns * np.asarray(ii_cycles, np.float64)
        return np.maximum(np.ceil(steps * (1 - 1e-9)), 1).astype(np.int64)


@overload
def share_of(used: float, limit: float, copies: int = 1) -> float: ...
@overload
def share_of(
    used: NDArray[np.float64], limit: NDArray[np.float64], copies: int | NDArray[np.int64] = 1
) -> NDArray[np.float64]: ...
def share_of(
    used: float | NDArray[np.float64], limit: float | NDArray[np.float64], copies: int | NDArray[np.int64] = 1
) -> float | NDArray[np.float64]:
    """Return the share of a limit that all copies use; of a limit of 0 that is 0 where nothing is used, else infinite.

    Expected numbers have fractions, designs have not: a limit that the nearest whole number keeps is kept.

    Args:
        used: By one copy, a number or `(...)`.
        limit: Of all copies, the same; broadcasts to `used`.
        copies: The same.
    """
    total, kept = copies * used, copies * np.rint(used) <= limit
    if isinstance(total, np.ndarray):
        total = np.where(kept, np.minimum(total, limit), total)
        return np.divide(total, limit, out=np.where(total > 0, np.inf, 0.0), where=np.asarray(limit) > 0)
    total = min(total, limit) if kept else total
    if limit > 0:
        return total / limit
    return math.inf if total > 0 else 0.0


@overload
def log10_share(share: float) -> float: ...
@overload
def log10_share(share: NDArray[np.float64]) -> NDArray[np.float64]: ...
def log10_share(share: float | NDArray[np.float64]) -> float | NDArray[np.float64]:
    """Return the logarithm of a share of the limits, of :data:`LEAST_SHARE` below that: a finite number for 0 too."""
    found: NDArray[np.float64] = np.log10(np.maximum(share, LEAST_SHARE))
    return found if isinstance(share, np.ndarray) else float(found)


@overload
def as_told(share: float, target: Target) -> float: ...
@overload
def as_told(share: NDArray[np.float64], target: Target) -> NDArray[np.float64]: ...
def as_told(share: float | NDArray[np.float64], target: Target) -> float | NDArray[np.float64]:
    """Return shares as samplers are told them, to whom one is refused from 1 on: what is not refused is below 1.

    That is a share of just 1, and all where nothing is refused.
    """
    kept = target.unlimited | (np.asarray(share) <= 1)
    told: NDArray[np.float64] = np.where(kept, np.minimum(share, _JUST_BELOW_1), share)
    return told if isinstance(share, np.ndarray) else float(told)


def parse_region(region: str, part: Part) -> Limits:
    """Return the resources of ``slr`` (one super logic region), ``part`` (all) or a share such as ``5%``.

    Those of ``unlimited`` are the part's: what shares are shares of.

    Raises:
        InputError: ``region`` is none of these.
    """
    text = region.strip().lower()
    if text == "slr":
        share = 1 / part.slrs
    elif text in ("part", UNLIMITED):
        share = 1.0
    else:
        try:
            share = float(text.removesuffix("%")) / 100 if text.endswith("%") else math.nan
        except ValueError:
            share = math.nan
        if not 0 < share <= 1:
            raise InputError(f"region '{region}' must be slr, part, a share of the part such as 5%, or unlimited")
    room = {name: share * getattr(part, name) for name in RESOURCES}
    return Limits(**room, latency_ns=math.inf)


def make_target(
    part: str = DEFAULT_PART,
    clock_ns: float = 5.0,
    rate_mhz: float = 40.0,
    region: str = "slr",
    max_luts: float | None = None,
    max_ffs: float | None = None,
    max_dsps: float | None = None,
    max_brams: float | None = None,
    max_latency_ns: float = DEFAULT_LATENCY_NS,
    objective: str = "share",
    rank_stage: str = "place-and-route",
    calibration: Calibration | Path | str | None = None,
) -> Target:
    """Return a checked target; a limit that is given replaces that of the region.

    Raises:
        InputError: Unknown part, region, objective or stage; a number that is not positive and finite, or of DSPs and
            BRAMs below 0; a limit above the part, or where nothing is limited; a file that is no calibration.
    """
    device = find_part(part)
    room = parse_region(region, device)
    if objective not in OBJECTIVES:
        raise InputError(f"objective '{objective}' is not one of {', '.join(OBJECTIVES)}")
    if rank_stage not in RANK_STAGES:
        raise InputError(f"--rank-stage {rank_stage} is none of {', '.join(RANK_STAGES)}")
    _check_positive("clock period", clock_ns, "ns")
    if clock_ns < LEAST_CLOCK_NS:
        raise InputError(f"clock period {clock_ns:g} ns must be at least {LEAST_CLOCK_NS:g}: no FPGA runs faster")
    if clock_ns > MOST_CLOCK_NS:
        raise InputError(f"clock period {clock_ns:g} ns must be at most {MOST_CLOCK_NS:,.0f}")
    _check_positive("rate", rate_mhz, "MHz")
    if rate_mhz > MOST_RATE_MHZ:
        raise InputError(f"rate {rate_mhz:g} MHz must be at most {MOST_RATE_MHZ:,.0f}: inferences per microsecond")
    _check_positive("latency limit", max_latency_ns, "ns")
    given = {"lut": max_luts, "ff": max_ffs, "dsp": max_dsps, "bram18": max_brams}
    unlimited = region.strip().lower() == UNLIMITED
    if unlimited and (max_latency_ns != DEFAULT_LATENCY_NS or any(value is not None for value in given.values())):
        raise InputError("region unlimited has no limits; leave those of resources and latency out, or name another")
    limits: dict[str, float] = {}
    for name in RESOURCES:
        value = given[name]
        if value is not None:
            _check_positive(f"limit of {name.upper()}", value, "", or_0=name in MAY_BE_NONE)
            if value > getattr(device, name):
                raise InputError(f"limit of {value:,.0f} {name.upper()} is above the part's {getattr(device, name):,}")
        limits[name] = getattr(room, name) if value is None else value
    room_and_time = Limits(**limits, latency_ns=max_latency_ns)
    ratios = as_calibration(calibration)
    return Target(device, clock_ns, rate_mhz, room_and_time, objective, rank_stage, ratios, unlimited)


def _check_positive(what: str, value: float, unit: str, *, or_0: bool = False) -> None:
    if not (math.isfinite(value) and (value > 0 or (or_0 and value == 0))):
        least = "of at least 0" if or_0 else "above 0"
        raise InputError(f"{what} {value} {unit}".rstrip() + f" must be a finite number {least}")

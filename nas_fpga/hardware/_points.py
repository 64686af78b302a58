"""The values of an estimate: what a network costs under one mapping, and that mapping with its figures."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

from nas_fpga.hardware._figures import RESOURCES, Figure, Resource, Unit
from nas_fpga.hardware._limits import Target, share_of
from nas_fpga.hardware._mappings import Mapping
from nas_fpga.hardware._stages import combined

UNITS: dict[str, Unit] = {
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram18": "BRAM18",
    "latency_cycles": "cycles",
    "ii_cycles": "cycles",
    "period_ns": "ns",
}


@dataclass(frozen=True)
class HardwareFigures:
    """What one network under one mapping costs. Resources are of one copy; :meth:`total` counts all.

    Attributes:
        lut: Look-up tables of one copy.
        ff: Flip-flops of one copy.
        dsp: DSP slices of one copy.
        bram18: Block memories of 18 Kbit of one copy.
        latency_cycles: Clock cycles from the first input to the last output.
        latency_ns: The same in time, at the clock of the target.
        ii_cycles: Initiation interval: cycles between two inputs of one copy.
        ebops: Effective bit operations, as HGQ2 counts them.
        copies: Copies that sustain the rate of the target.
        period_ns: Clock period that the design achieves; None in studies from before that was estimated.
    """

    lut: Figure
    ff: Figure
    dsp: Figure
    bram18: Figure
    latency_cycles: Figure
    latency_ns: Figure
    ii_cycles: Figure
    ebops: Figure
    copies: int
    period_ns: Figure | None = None

    @property
    def achievable_latency_ns(self) -> Figure | None:
        """Latency in time at the clock that the design achieves; None where that is not known.

        Cycles and period are unsure for different reasons: the half-widths of their logarithms add in squares. Of 0
        cycles there is no logarithm, and the end is the product of both ends.
        """
        period, cycles = self.period_ns, self.latency_cycles
        if period is None:
            return None

        def end(name: str, sign: int) -> float:
            if not (cycles.value > 0 and getattr(cycles, name) > 0):
                return float(getattr(cycles, name) * getattr(period, name))
            half_width = combined(*(math.log(getattr(figure, name) / figure.value) for figure in (cycles, period)))
            return value * math.exp(sign * half_width)

        value = cycles.value * period.value
        return replace(period, value=value, low=end("low", -1), high=end("high", 1))

    def total(self, name: Resource) -> float:
        """Return the central value of a resource over all copies."""
        figure: Figure = getattr(self, name)
        return self.copies * figure.value

    def shares(self, target: Target) -> dict[str, float]:
        """Return the share of each limit that all copies use: LUT, FF, DSP, BRAM, latency and, where known, period.

        That of the period is its lower end over the clock: a clock is missed where the design is sure to miss it. That
        of a limit of 0 is infinite where it is broken.
        """
        shares: dict[str, float] = {
            name: share_of(getattr(self, name).value, getattr(target.limits, name), self.copies) for name in RESOURCES
        }
        shares["latency"] = self.latency_ns.value / target.limits.latency_ns
        if self.period_ns is not None:
            shares["period"] = self.period_ns.low / target.clock_ns
        return shares

    def share(self, target: Target) -> float:
        """Return the resource axis: the largest share of LUT, FF, DSP and BRAM, or that of the target's objective."""
        shares = self.shares(target)
        return max(shares[name] for name in target.axis)

    def constrained_share(self, target: Target) -> float:
        """Return :meth:`share` where all limits are kept, else the largest ratio to a limit, which is above 1."""
        if target.unlimited:
            return self.share(target)
        worst = max(self.shares(target).values())
        return worst if worst > 1 else self.share(target)

    def violations(self, target: Target) -> tuple[str, ...]:
        """Return one phrase for every limit that is violated; empty when feasible.

        Central values count, of the period the lower end.
        """
        if target.unlimited:
            return ()
        found, shares = [], self.shares(target)
        for name in RESOURCES:
            limit = getattr(target.limits, name)
            if shares[name] > 1:
                copies = f" in {self.copies} copies" if self.copies > 1 else ""
                found.append(f"{self.total(name):,.0f} {UNITS[name]}{copies}, limit {limit:,.0f}")
        if self.latency_ns.value > target.limits.latency_ns:
            found.append(f"{self.latency_ns.value:,.0f} ns, limit {target.limits.latency_ns:,.0f}")
        period = self.period_ns
        if period is not None and period.low > target.clock_ns:
            found.append(f"period {period.low:.3g}-{period.high:.3g} ns, clock {target.clock_ns:g}")
        return tuple(found)

    def at_best(self) -> HardwareFigures:
        """Return the figures with every value at the lower end of its interval."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        figures: dict[str, Any] = {name: each for name, each in found.items() if isinstance(each, Figure)}
        return replace(self, **{name: replace(figure, value=figure.low) for name, figure in figures.items()})

    def is_feasible(self, target: Target) -> bool:
        """Return whether no limit is violated."""
        return not self.violations(target)


@dataclass(frozen=True)
class MappedPoint:
    """A mapping of a network with its figures."""

    mapping: Mapping
    figures: HardwareFigures

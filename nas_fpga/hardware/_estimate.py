"""The static estimator: figures of a trained network under a mapping, and the mappings worth keeping."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nas_fpga.hardware._adder_law import distributed_arithmetic
from nas_fpga.hardware._cost_array import HIGH, LOW, ORIGINAL, QUANTITIES, VALUE
from nas_fpga.hardware._figures import Figure, Stage, Unit
from nas_fpga.hardware._hls_laws import latency_strategy, resource_strategy
from nas_fpga.hardware._limits import RESOURCES, Resource, Target
from nas_fpga.hardware._mappings import Mapping, Strategy, enumerate_mappings
from nas_fpga.hardware._traits import Array, LayerTraits, measured_traits
from nas_fpga.training import QuantizedNetwork

_UNITS: dict[str, Unit] = {
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram18": "BRAM18",
    "latency_cycles": "cycles",
    "ii_cycles": "cycles",
}
_SOURCES: dict[Strategy, str] = {
    "distributed_arithmetic": "law of da4ml's adder graphs; adder-graph carried to place-and-route (x 1.05)",
    "latency": "LUT + 55 DSP = EBOPs at place-and-route (16-bit data: csynth carried over), at least adder graphs",
    "resource": "law of hls4ml Resource reports; csynth carried to place-and-route",
}
_LAW_STAGES: dict[Strategy, Stage] = {
    "distributed_arithmetic": "adder-graph",
    "latency": "csynth",
    "resource": "csynth",
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
        latency_ns: The same in time.
        ii_cycles: Initiation interval: cycles between two inputs of one copy.
        ebops: Effective bit operations, as HGQ2 counts them.
        copies: Copies that sustain the rate of the target.
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

    def total(self, name: Resource) -> float:
        """Return the central value of a resource over all copies."""
        figure: Figure = getattr(self, name)
        return self.copies * figure.value

    def shares(self, target: Target) -> dict[str, float]:
        """Return the share of each limit that all copies use: LUT, FF, DSP, BRAM and latency."""
        shares = {name: self.total(name) / getattr(target.limits, name) for name in RESOURCES}
        return shares | {"latency": self.latency_ns.value / target.limits.latency_ns}

    def share(self, target: Target) -> float:
        """Return the resource axis: the largest share of LUT, FF, DSP and BRAM, or that of the target's objective."""
        shares = self.shares(target)
        return max(shares[name] for name in target.axis)

    def constrained_share(self, target: Target) -> float:
        """Return :meth:`share` where all limits are kept, else the largest ratio to a limit, which is above 1."""
        worst = max(self.shares(target).values())
        return worst if worst > 1 else self.share(target)

    def violations(self, target: Target) -> tuple[str, ...]:
        """Return one phrase for every limit that is violated, by the central values; empty when feasible."""
        found = []
        for name in RESOURCES:
            limit = getattr(target.limits, name)
            if self.total(name) > limit:
                copies = f" in {self.copies} copies" if self.copies > 1 else ""
                found.append(f"{self.total(name):,.0f} {_UNITS[name]}{copies}, limit {limit:,.0f}")
        if self.latency_ns.value > target.limits.latency_ns:
            found.append(f"{self.latency_ns.value:,.0f} ns, limit {target.limits.latency_ns:,.0f}")
        return tuple(found)

    def is_feasible(self, target: Target) -> bool:
        """Return whether no limit is violated."""
        return not self.violations(target)


@dataclass(frozen=True)
class MappedPoint:
    """A mapping of a network with its figures."""

    mapping: Mapping
    figures: HardwareFigures


def estimate(network: QuantizedNetwork, mapping: Mapping, target: Target) -> HardwareFigures:
    """Return the figures of a trained network under a mapping, at stage `place-and-route`.

    Raises:
        ValueError: The mapping is for another number of layers.
    """
    if len(mapping.reuse_factors) != len(network.layers):
        raise ValueError(f"mapping {mapping} is for {len(mapping.reuse_factors)} layers, not {len(network.layers)}")
    traits = measured_traits(network)
    costs = _costs(traits, [mapping], _n_inputs(network), target)
    return _figures(costs[..., 0], mapping, float(traits.ebops), target)


def points(network: QuantizedNetwork, target: Target) -> tuple[MappedPoint, ...]:
    """Return the mappings of a network that no other beats in LUT, FF, DSP, BRAM, latency and II.

    Resources count all copies. The cheapest share comes first, those that violate limits last: a network may have no
    other.
    """
    mappings = enumerate_mappings([(layer.n_in, layer.n_out) for layer in network.layers], target)
    traits = measured_traits(network)
    costs = _costs(traits, mappings, _n_inputs(network), target)
    values = costs[:, VALUE].T.copy()  # (n_mappings, n_quantities)
    values[:, : len(RESOURCES)] *= target.copies(values[:, -1:])
    no_worse = (values[:, None] <= values[None]).all(axis=2)
    better = (values[:, None] < values[None]).any(axis=2)
    kept = np.logical_not((no_worse & better).any(axis=0)).tolist()
    ebops = float(traits.ebops)
    found = [MappedPoint(m, _figures(costs[..., i], m, ebops, target)) for i, m in enumerate(mappings) if kept[i]]
    return tuple(sorted(found, key=lambda point: point.figures.constrained_share(target)))


def _n_inputs(network: QuantizedNetwork) -> int:
    return network.layers[0].n_in


def _costs(traits: LayerTraits, mappings: Sequence[Mapping], n_inputs: int, target: Target) -> Array:
    """Return the cost array `(6, 4, n_mappings)` of one network."""
    costs = np.empty((len(QUANTITIES), 4, len(mappings)))
    folded = [i for i, mapping in enumerate(mappings) if mapping.strategy == "resource"]
    if folded:
        reuse = np.array([mappings[i].reuse_factors for i in folded], np.float64)
        costs[..., folded] = resource_strategy(traits, reuse, n_inputs, target.clock_ns)
    for i, mapping in enumerate(mappings):
        if mapping.strategy == "distributed_arithmetic":
            costs[..., i] = distributed_arithmetic(traits, n_inputs, target.clock_ns)
        elif mapping.strategy == "latency":
            costs[..., i] = latency_strategy(traits, n_inputs, target.clock_ns)
    return costs


def _figures(costs: Array, mapping: Mapping, ebops: float, target: Target) -> HardwareFigures:
    """Return the figures of one column `(6, 4)` of a cost array."""
    source = _SOURCES[mapping.strategy]
    found = {}
    for name, row in zip(QUANTITIES, costs.tolist(), strict=True):
        original = None if math.isnan(row[ORIGINAL]) else (row[ORIGINAL], _LAW_STAGES[mapping.strategy])
        found[name] = Figure(row[VALUE], _UNITS[name], "place-and-route", row[LOW], row[HIGH], source, original)
    cycles, clock = found["latency_cycles"], target.clock_ns
    return HardwareFigures(
        **found,
        latency_ns=Figure(
            cycles.value * clock, "ns", "place-and-route", cycles.low * clock, cycles.high * clock, source
        ),
        ebops=Figure(ebops, "bit operations", "estimate", ebops, ebops, "counted on the weights"),
        copies=int(target.copies(found["ii_cycles"].value)),
    )

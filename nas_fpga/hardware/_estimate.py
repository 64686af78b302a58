"""The static estimator: figures of a trained network under a mapping, and the mappings worth keeping."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nas_fpga.hardware._adder_law import distributed_arithmetic
from nas_fpga.hardware._base import Estimator
from nas_fpga.hardware._cost_array import HIGH, LOW, ORIGINAL, QUANTITIES, VALUE
from nas_fpga.hardware._figures import RESOURCES, Figure, Stage
from nas_fpga.hardware._hls_laws import in_reports, latency_strategy, resource_strategy
from nas_fpga.hardware._limits import Target
from nas_fpga.hardware._mappings import Mapping, enumerate_mappings
from nas_fpga.hardware._points import UNITS, HardwareFigures, MappedPoint
from nas_fpga.hardware._rank_stage import at_rank_stage, how_carried
from nas_fpga.hardware._stages import LAW_STAGES
from nas_fpga.hardware._strategies import Strategy
from nas_fpga.hardware._traits import Array, LayerTraits, measured_traits
from nas_fpga.training import QuantizedNetwork

_SOURCES: dict[Strategy, str] = {
    "distributed_arithmetic": "law of da4ml's adder graphs; adder-graph carried to place-and-route (x 1.05)",
    "latency": "LUT + 55 DSP = EBOPs at place-and-route (16-bit data: csynth carried over), at least adder graphs",
    "resource": "law of hls4ml Resource reports; csynth carried to place-and-route",
}
_SCHEDULED = "the asked clock, or the law of adders where longer; no place-and-route report says so: interval assumed"
_PERIOD_SOURCES: dict[Strategy, str] = {
    "distributed_arithmetic": "law of placed and routed JEDI-linear designs, by LUTs and levels between registers",
    "latency": _SCHEDULED,
    "resource": _SCHEDULED,
}
_OUTSIDE = "; beyond the reports"  # of other widths, bits, clocks or reuse factors: the interval is wide


def estimate(network: QuantizedNetwork, mapping: Mapping, target: Target) -> HardwareFigures:
    """Return the figures of a trained network under a mapping, at the target's stage of ranking.

    Raises:
        ValueError: The mapping is for another number of layers.
    """
    if len(mapping.reuse_factors) != len(network.layers):
        raise ValueError(f"mapping {mapping} is for {len(mapping.reuse_factors)} layers, not {len(network.layers)}")
    traits = measured_traits(network)
    laws = costs_of(traits, [mapping], _n_inputs(network), target)
    return figures_of(ranked(laws, [mapping], target)[..., 0], laws[..., 0], mapping, traits, target)


class StaticEstimator(Estimator):
    """Laws fitted to reports and adder graphs, at the stage of ranking; milliseconds a network, no tool is run."""

    def points(self, network: QuantizedNetwork, target: Target) -> tuple[MappedPoint, ...]:
        """Return the points of a network among all mappings that the tools accept."""
        mappings = enumerate_mappings([(layer.n_in, layer.n_out) for layer in network.layers], target)
        traits = measured_traits(network)
        laws = costs_of(traits, mappings, _n_inputs(network), target)
        costs = ranked(laws, mappings, target)
        values = costs[: QUANTITIES.index("period_ns"), VALUE].T.copy()  # (n_mappings, 6); a period follows from LUTs
        values[:, : len(RESOURCES)] *= target.copies(values[:, -1:])
        no_worse = (values[:, None] <= values[None]).all(axis=2)
        better = (values[:, None] < values[None]).any(axis=2)
        beaten: list[bool] = np.asarray((no_worse & better).any(axis=0)).tolist()
        found = [
            MappedPoint(m, figures_of(costs[..., i], laws[..., i], m, traits, target))
            for i, m in enumerate(mappings)
            if m.strategy == "distributed_arithmetic" or not beaten[i]
        ]
        return tuple(sorted(found, key=lambda point: point.figures.constrained_share(target)))


def _n_inputs(network: QuantizedNetwork) -> int:
    return int(np.count_nonzero(network.input_format.used))


def costs_of(traits: LayerTraits, mappings: Sequence[Mapping], n_inputs: int, target: Target) -> Array:
    """Return the cost array `(7, 4, n_mappings)` of one network at place and route, by laws and shipped ratios."""
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


def ranked(laws: Array, mappings: Sequence[Mapping], target: Target) -> Array:
    """Return the cost array `(7, 4, n_mappings)` of :func:`costs_of` at the stage of ranking."""
    columns = [at_rank_stage(laws[..., i], mapping.strategy, target) for i, mapping in enumerate(mappings)]
    return np.stack(columns, axis=-1)


def _source(mapping: Mapping, traits: LayerTraits, clock_ns: float) -> str:
    law = _SOURCES[mapping.strategy]
    of_reports = mapping.strategy != "distributed_arithmetic"
    outside = of_reports and not in_reports(traits, np.array(mapping.reuse_factors, np.float64), clock_ns)
    return law + _OUTSIDE * outside


def figures_of(costs: Array, laws: Array, mapping: Mapping, traits: LayerTraits, target: Target) -> HardwareFigures:
    """Return the figures of one column of a cost array.

    Args:
        costs: `(7, 4)` at the stage of ranking.
        laws: `(7, 4)` as laws gave it: what was carried on from place and route has the value there as its original.
        mapping: Of the design.
        traits: Of its layers.
        target: Part, clock, rate, stage of ranking.
    """
    source, ebops, stage = _source(mapping, traits, target.clock_ns), float(traits.ebops), target.rank_stage
    found = {}
    for name, row, law in zip(QUANTITIES, costs.tolist(), laws.tolist(), strict=True):
        original: tuple[float, Stage] | None = None
        if not math.isnan(law[ORIGINAL]):
            original = law[ORIGINAL], LAW_STAGES[mapping.strategy]
        elif row[VALUE] != law[VALUE]:
            original = law[VALUE], "place-and-route"
        how = how_carried(law, mapping.strategy, name, target) if name in RESOURCES else ""
        found[name] = Figure(row[VALUE], UNITS[name], stage, row[LOW], row[HIGH], source + how, original)
    # no other stage has wires
    period = _PERIOD_SOURCES[mapping.strategy]
    found["period_ns"] = replace(found["period_ns"], stage="place-and-route", source=period)
    cycles, clock = found["latency_cycles"], target.clock_ns
    return HardwareFigures(
        **found,
        latency_ns=Figure(cycles.value * clock, "ns", stage, cycles.low * clock, cycles.high * clock, source),
        ebops=Figure(ebops, "bit operations", "estimate", ebops, ebops, "counted on the weights"),
        copies=int(target.copies(found["ii_cycles"].value)),
    )

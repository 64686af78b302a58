"""What a network costs layer by layer, and what it costs so by the laws."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np

from nas_fpga.hardware._cost_array import HIGH, LOW, QUANTITIES, VALUE
from nas_fpga.hardware._estimate import costs_of, figures_of, ranked
from nas_fpga.hardware._expected import WEIGHTS_SPREAD, WEIGHTS_SPREAD_PER_BIT, expected_traits
from nas_fpga.hardware._figures import RESOURCES, Figure, Resource, Stage
from nas_fpga.hardware._hls_laws import least_latency_luts
from nas_fpga.hardware._limits import Target
from nas_fpga.hardware._mappings import Mapping
from nas_fpga.hardware._period import period_growth
from nas_fpga.hardware._points import HardwareFigures
from nas_fpga.hardware._rank_stage import carried_count
from nas_fpga.hardware._strategies import Strategy
from nas_fpga.hardware._traits import Array, LayerTraits, measured_traits
from nas_fpga.space import BitWidths
from nas_fpga.training import QuantizedNetwork

Rung = Literal["estimate", "adder-graph", "logic-synthesis"]
AROUND = "around"
OF_GRAPH, OF_YOSYS = "da4ml's adder graph of the weights", "Yosys"
"""How sources begin of what da4ml and Yosys counted."""


@dataclass(frozen=True)
class LayerCost:
    """What one dense layer takes, with its bias, activation and quantizer; or all that is around the layers.

    Attributes:
        name: `dense 1`, ...; :data:`AROUND` for the input format and what a design has once.
        n_in: Inputs; 0 around the layers.
        n_out: Outputs; 0 around the layers.
        nonzero: Weights that are not 0; expected ones where there are none yet.
        weight_bits: Of the type that holds all its weights.
        input_bits: Of the type that holds all its inputs.
        lut: Look-up tables.
        ff: Flip-flops.
        dsp: DSP slices.
        bram18: Block memories of 18 Kbit.
    """

    name: str
    n_in: int
    n_out: int
    nonzero: float
    weight_bits: int
    input_bits: int
    lut: Figure
    ff: Figure
    dsp: Figure
    bram18: Figure


@dataclass(frozen=True)
class DesignCost:
    """What one network costs under one mapping.

    Attributes:
        mapping: How it is laid on the FPGA.
        figures: Of the design, one copy.
        layers: Its parts, which add up to it: dense layers in order, then what is around them.
    """

    mapping: Mapping
    figures: HardwareFigures
    layers: tuple[LayerCost, ...]


def cost_by_law(network: QuantizedNetwork, mapping: Mapping, target: Target) -> DesignCost:
    """Return what a trained network costs by the static laws."""
    n_inputs = int(np.count_nonzero(network.input_format.used))
    return _by_law(measured_traits(network), mapping, n_inputs, target)


def cost_of_topology(
    widths: tuple[int, ...], bits: BitWidths, input_bits: int, mapping: Mapping, target: Target
) -> DesignCost:
    """Return what a network is expected to cost that is not trained yet; its weights' part of it widens the intervals.

    Args:
        widths: Features, hidden layers, outputs.
        bits: Of weights and activations.
        input_bits: Of the features.
        mapping: Of all layers.
        target: Part, clock and rate.
    """
    traits = topology_traits(widths, bits, input_bits)
    unknown = float(np.exp(WEIGHTS_SPREAD + WEIGHTS_SPREAD_PER_BIT / bits.weights))
    return _by_law(traits, mapping, widths[0], target, unknown)


def topology_traits(widths: tuple[int, ...], bits: BitWidths, input_bits: int) -> LayerTraits:
    """Return the expected traits `(n_layers,)` of a network that is not trained yet."""
    n_inputs, *hidden, n_outputs = widths
    row = np.array([[*hidden, bits.weights, bits.activations]])
    expected = expected_traits(row, n_inputs, n_outputs, input_bits)
    return LayerTraits(**{field.name: getattr(expected, field.name)[0] for field in fields(LayerTraits)})


def _by_law(traits: LayerTraits, mapping: Mapping, n_inputs: int, target: Target, unknown: float = 1.0) -> DesignCost:
    """Return the cost of a design; what is unknown of the weights is a factor on the ends of the intervals."""
    laws = costs_of(traits, [mapping], n_inputs, target)
    costs = ranked(laws, [mapping], target)[..., 0]
    costs[: len(RESOURCES), LOW] /= unknown
    costs[: len(RESOURCES), HIGH] *= unknown
    period = costs[QUANTITIES.index("period_ns")]
    growth = period_growth(laws[QUANTITIES.index("lut"), VALUE, 0])
    period[[LOW, HIGH]] *= unknown ** (growth * np.array([-1, 1]))
    figures = figures_of(costs, laws[..., 0], mapping, traits, target)
    nothing = LayerTraits(**{field.name: np.zeros(1) for field in fields(LayerTraits)})
    alone = [
        _values(_layer(traits, k), mapping.strategy, factor, target) - _values(nothing, mapping.strategy, 1, target)
        for k, factor in enumerate(mapping.reuse_factors)
    ]
    values = np.array(alone)
    if mapping.strategy == "distributed_arithmetic":  # registers lie between the levels of the whole
        share = values[:, RESOURCES.index("lut")] / max(figures.lut.value, 1.0)
        values[:, RESOURCES.index("ff")] = figures.ff.value * share
    return DesignCost(mapping, figures, divided(traits, figures, values))


def _values(traits: LayerTraits, strategy: Strategy, reuse_factor: int, target: Target) -> Array:
    """Return the resources `(4,)` of a design of one layer."""
    mappings = [Mapping(strategy, (reuse_factor,))]
    costs = ranked(costs_of(traits, mappings, 0, target), mappings, target)
    values: Array = costs[: len(RESOURCES), VALUE, 0]
    return values


def cost_of_adders(network: QuantizedNetwork, target: Target) -> DesignCost:
    """Return what a trained network costs in distributed arithmetic by the static law."""
    return cost_by_law(network, Mapping("distributed_arithmetic", (1,) * len(network.layers)), target)


def no_fewer_than_adders(latency: HardwareFigures, by_graph: HardwareFigures, target: Target) -> HardwareFigures:
    """Return the figures of a network in the Latency strategy, by law, whose adder graph is known.

    That law has no fewer LUTs than the law of adders, in whose place the graph is now. Where the ratios are those of a
    user's own reports, these say what Latency takes.

    Args:
        latency: In Latency.
        by_graph: In distributed arithmetic, by its adder graph.
        target: Has the stage of ranking of both.
    """
    if target.calibration is not None:
        return latency
    count = by_graph.lut.value if by_graph.lut.original is None else by_graph.lut.original[0]
    placed = replace(target, rank_stage="place-and-route")
    luts, _, _ = carried_count(count, "adder-graph", "distributed_arithmetic", "lut", placed)
    least = least_latency_luts(luts, latency.dsp.value)
    ranked_least, _, _ = carried_count(least, "place-and-route", "latency", "lut", target)
    lut = latency.lut
    if lut.value >= ranked_least:
        return latency
    return replace(latency, lut=replace(lut, value=ranked_least, high=max(lut.high, ranked_least)))


def rung_of(figure: Figure) -> Rung:
    """Return what a figure was come by: laws, da4ml's adder graph of the weights, or logic synthesis."""
    if figure.source.startswith(OF_YOSYS):
        return "logic-synthesis"
    return "adder-graph" if figure.source.startswith(OF_GRAPH) else "estimate"


def _layer(traits: LayerTraits, k: int) -> LayerTraits:
    """Return the traits `(1,)` of one layer."""
    return LayerTraits(**{field.name: getattr(traits, field.name)[k : k + 1] for field in fields(LayerTraits)})


def divided(traits: LayerTraits, figures: HardwareFigures, alone: Array) -> tuple[LayerCost, ...]:
    """Return the parts of a design.

    Args:
        traits: Of its layers `(n_layers,)`.
        figures: Of the design.
        alone: `(n_layers, 4)` what each layer takes of LUT, FF, DSP and BRAM18; scaled down where that is more than the
            design, the rest is around them.
    """
    totals = np.array([getattr(figures, name).value for name in RESOURCES])
    sums = alone.sum(axis=0)
    alone = alone * np.where(sums > totals, totals / np.maximum(sums, 1e-300), 1.0)
    rows = np.vstack([alone, np.maximum(totals - alone.sum(axis=0), 0.0)])
    found = []
    for k, row in enumerate(rows.tolist()):
        around = k == len(alone)
        parts = {
            name: scaled(getattr(figures, name), value, total)
            for name, value, total in zip(RESOURCES, row, totals.tolist(), strict=True)
        }
        found.append(
            LayerCost(
                name=AROUND if around else f"dense {k + 1}",
                n_in=0 if around else int(traits.n_in[k]),
                n_out=0 if around else int(traits.n_out[k]),
                nonzero=0.0 if around else float(traits.nonzero[k]),
                weight_bits=0 if around else int(traits.weight_bits[k]),
                input_bits=0 if around else int(traits.input_type_bits[k]),
                **parts,
            )
        )
    return tuple(found)


def scaled(figure: Figure, value: float, total: float) -> Figure:
    """Return the part of a figure that has this value where the whole has that total; its interval is as wide."""
    share = value / total if total > 0 else 1.0
    low, high = min(figure.low * share, value), max(figure.high * share, value)
    return replace(figure, value=value, low=low, high=high, original=None)


def carried(count: float, stage: Stage, resource: Resource, was: Figure, target: Target, source: str) -> Figure:
    """Return what was counted in distributed arithmetic at the stage of ranking, in place of another figure."""
    value, low, high = carried_count(count, stage, "distributed_arithmetic", resource, target)
    if stage == target.rank_stage:
        return replace(was, value=value, low=low, high=high, source=source, original=None)
    source = f"{source}; {stage} carried to {target.rank_stage}"
    return replace(was, value=value, low=low, high=high, source=source, original=(count, stage))


def exact(was: Figure, value: float, source: str) -> Figure:
    """Return a figure that is known."""
    return replace(was, value=value, low=value, high=value, source=source, original=None)

"""What a trained network costs by the adder graph of its weights; layers that take da4ml too long stay with the law."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from nas_fpga.hardware._adder_graph import Netlist
from nas_fpga.hardware._adder_law import adder_graph_depth
from nas_fpga.hardware._design_cost import OF_GRAPH, DesignCost, carried, cost_of_adders, divided, exact
from nas_fpga.hardware._figures import RESOURCES, Figure, Stage
from nas_fpga.hardware._graph_counts import GraphCounts, count_adder_graph
from nas_fpga.hardware._graph_time import MOST_GRAPH_S, layers_in_time
from nas_fpga.hardware._limits import Target
from nas_fpga.hardware._parts_cost import (
    APART_FF_RATIO,
    APART_FF_SPREAD,
    APART_LEVELS,
    APART_LUT_RATIO,
    APART_LUT_SPREAD,
    build_stretches,
    of_part,
    stretches_between,
    summed,
)
from nas_fpga.hardware._period import adder_period
from nas_fpga.hardware._rank_stage import carried_count
from nas_fpga.hardware._traits import measured_traits
from nas_fpga.training import QuantizedNetwork

_LAW_DEPTH = (0.5, 1.3)  # ends of the law's interval of levels of adders


def cost_by_adder_graph(network: QuantizedNetwork, target: Target, *, most_graph_s: float = MOST_GRAPH_S) -> DesignCost:
    """Return what a trained network costs in distributed arithmetic, by da4ml's adder graph of its weights.

    LUTs are the graph's cost, flip-flops the bits of its registers, latency its pipeline's; all carried to the stage of
    ranking.

    Args:
        network: In integers.
        target: Part, clock and rate.
        most_graph_s: Seconds that all graphs may be expected to take, by their weights. Layers beyond it, the slowest,
            have the figures of the static law, and the intervals widen.
    """
    slow = slow_layers(network, most_graph_s)
    if slow:
        return _with_laws(network, target, slow)
    graph = count_adder_graph(network, target.clock_ns)
    by_law = cost_of_adders(network, target)
    lut = carried(graph.luts, "adder-graph", "lut", by_law.figures.lut, target, OF_GRAPH)
    ff = carried(graph.flip_flops, "adder-graph", "ff", by_law.figures.ff, target, OF_GRAPH)
    cycles = graph.latency_cycles
    figures = replace(
        by_law.figures,
        lut=lut,
        ff=ff,
        latency_cycles=exact(by_law.figures.latency_cycles, cycles, "da4ml's pipeline"),
        latency_ns=exact(by_law.figures.latency_ns, cycles * target.clock_ns, "da4ml's pipeline at the asked clock"),
        period_ns=netlist_period(graph.luts, "adder-graph", graph, target),
    )
    luts = np.array(graph.parts[1:]) * lut.value / graph.luts if graph.luts else np.zeros(len(network.layers))
    alone = np.zeros((len(luts), len(RESOURCES)))
    alone[:, RESOURCES.index("lut")] = luts
    alone[:, RESOURCES.index("ff")] = ff.value * luts / max(lut.value, 1.0)
    return DesignCost(by_law.mapping, figures, divided(measured_traits(network), figures, alone))


def slow_layers(network: QuantizedNetwork, most_graph_s: float) -> tuple[int, ...]:
    """Return the numbers of the layers, from 1, whose adder graphs do not fit in a time."""
    within = layers_in_time(measured_traits(network), most_graph_s)
    return tuple(number for number, fits in enumerate(within.tolist(), 1) if not fits)


def netlist_period(lut: float, stage: Stage, netlist: Netlist | GraphCounts, target: Target) -> Figure:
    """Return the period at place and route of a design with the LUTs that a stage counts, and a netlist's levels."""
    levels = max(min(netlist.levels, netlist.levels_per_cycle), 1)
    placed = replace(target, rank_stage="place-and-route")
    luts, _, most = carried_count(lut, stage, "distributed_arithmetic", "lut", placed)
    lut_spread = math.log(most / luts) if luts > 0 else 0.0
    value, low, high, _ = adder_period(luts, lut_spread, levels, target.clock_ns).tolist()
    source = "law of placed and routed JEDI-linear designs, by LUTs and the netlist's levels between registers"
    return Figure(value, "ns", "place-and-route", low, high, source)


def _with_laws(network: QuantizedNetwork, target: Target, slow: tuple[int, ...]) -> DesignCost:
    """Return the cost of a network whose slow layers have none but the law's figures."""
    by_law = cost_of_adders(network, target)
    source = f"{OF_GRAPH}, law for {', '.join(f'dense {number}' for number in slow)}"
    if target.rank_stage != "adder-graph":
        source += f"; adder-graph carried to {target.rank_stage}"
    law = by_law.figures.lut
    per_lut = law.original[0] / law.value if law.original is not None and law.value > 0 else 1.0
    lut = {number: by_law.layers[number - 1].lut for number in slow}
    ff = {number: by_law.layers[number - 1].ff for number in slow}
    if law.original is not None:
        lut = {number: replace(part, original=(part.value * per_lut, "adder-graph")) for number, part in lut.items()}
    law_luts = per_lut * sum(part.value for part in lut.values())
    bounds = stretches_between(slow, len(network.layers) + 1)
    stretches = build_stretches(network, bounds, law_luts, target.clock_ns)
    for stretch in stretches:
        for part, luts in enumerate(stretch.parts, stretch.first):
            alone = carried(luts, "adder-graph", "lut", law, target, OF_GRAPH)
            lut[part] = of_part(alone, APART_LUT_RATIO, APART_LUT_SPREAD)
            flip_flops = stretch.netlist.flip_flops * luts / max(stretch.netlist.luts, 1.0)
            alone = carried(flip_flops, "adder-graph", "ff", by_law.figures.ff, target, OF_GRAPH)
            ff[part] = of_part(alone, APART_FF_RATIO, APART_FF_SPREAD)
    in_order = [*range(1, len(network.layers) + 1), 0]  # the input format, part 0, is the last of a design's layers
    layers = tuple(
        replace(layer, lut=lut[part], ff=ff[part]) for layer, part in zip(by_law.layers, in_order, strict=True)
    )
    netlist = stretches[0].netlist
    of_graphs = sum(stretch.netlist.levels for stretch in stretches)
    of_law = float(adder_graph_depth(measured_traits(network))[np.array(slow) - 1].sum())
    least, value, most = (
        1 + math.ceil((a * of_graphs + b * of_law) / netlist.levels_per_cycle)
        for a, b in zip((APART_LEVELS[0], 1.0, APART_LEVELS[1]), (_LAW_DEPTH[0], 1.0, _LAW_DEPTH[1]), strict=True)
    )
    cycles = replace(by_law.figures.latency_cycles, value=value, low=least, high=most, source=source)
    ns = {name: getattr(cycles, name) * target.clock_ns for name in ("value", "low", "high")}
    total = law_luts + sum(stretch.netlist.luts for stretch in stretches)
    deep = replace(netlist, levels=max(netlist.levels, netlist.levels_per_cycle))  # some layer has so many levels
    figures = replace(
        by_law.figures,
        lut=summed([layer.lut for layer in layers], source),
        ff=summed([layer.ff for layer in layers], source),
        latency_cycles=cycles,
        latency_ns=replace(by_law.figures.latency_ns, source=source, **ns),
        period_ns=netlist_period(total, "adder-graph", deep, target),
    )
    return DesignCost(by_law.mapping, figures, layers)

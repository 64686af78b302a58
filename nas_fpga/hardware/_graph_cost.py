"""What a trained network costs by the adder graph of its weights; layers that take da4ml too long stay with the law."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from nas_fpga.hardware._adder_graph import adder_graph, build_netlist
from nas_fpga.hardware._adder_law import adder_graph_depth
from nas_fpga.hardware._design_cost import DesignCost, carried, cost_of_adders, divided, exact
from nas_fpga.hardware._figures import Figure
from nas_fpga.hardware._graph_time import MOST_GRAPH_S, layers_in_time
from nas_fpga.hardware._limits import RESOURCES, Target
from nas_fpga.hardware._parts_cost import (
    APART_FF_RATIO,
    APART_FF_SPREAD,
    APART_LEVELS,
    APART_LUT_RATIO,
    APART_LUT_SPREAD,
    build_stretches,
    stretches_between,
    summed,
)
from nas_fpga.hardware._stages import (
    ADDER_GRAPH_LUT_RATIO,
    ADDER_GRAPH_LUT_SPREAD,
    NETLIST_FF_RATIO,
    NETLIST_FF_SPREAD,
    combined,
)
from nas_fpga.hardware._traits import measured_traits
from nas_fpga.training import QuantizedNetwork

_SOURCE = "da4ml's adder graph of the weights"
_CARRIED = "; adder-graph carried to place-and-route"
_LAW_DEPTH = (0.5, 1.3)  # ends of the law's interval of levels of adders


def cost_by_adder_graph(network: QuantizedNetwork, target: Target, *, most_graph_s: float = MOST_GRAPH_S) -> DesignCost:
    """Return what a trained network costs in distributed arithmetic, by da4ml's adder graph of its weights.

    LUTs are the graph's cost, flip-flops the bits of its registers, latency its pipeline's; all carried to
    `place-and-route`.

    Args:
        network: In integers.
        target: Part, clock and rate.
        most_graph_s: Seconds that all graphs may be expected to take, by their weights. Layers beyond it, the slowest,
            have the figures of the static law, and the intervals widen.
    """
    slow = slow_layers(network, most_graph_s)
    if slow:
        return _with_laws(network, target, slow)
    graph = adder_graph(network)
    netlist = build_netlist(graph, target.clock_ns)
    by_law = cost_of_adders(network, target)
    source = _SOURCE + _CARRIED
    lut = carried(graph.luts, ADDER_GRAPH_LUT_RATIO, ADDER_GRAPH_LUT_SPREAD, "adder-graph", by_law.figures.lut, source)
    ff = carried(netlist.flip_flops, NETLIST_FF_RATIO, NETLIST_FF_SPREAD, "adder-graph", by_law.figures.ff, source)
    cycles = netlist.latency_cycles
    figures = replace(
        by_law.figures,
        lut=lut,
        ff=ff,
        latency_cycles=exact(by_law.figures.latency_cycles, cycles, "da4ml's pipeline"),
        latency_ns=exact(by_law.figures.latency_ns, cycles * target.clock_ns, "da4ml's pipeline at the asked clock"),
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


def _with_laws(network: QuantizedNetwork, target: Target, slow: tuple[int, ...]) -> DesignCost:
    """Return the cost of a network whose slow layers have none but the law's figures."""
    by_law = cost_of_adders(network, target)
    source = f"{_SOURCE}, law for {', '.join(f'dense {number}' for number in slow)}{_CARRIED}"
    lut: dict[int, Figure] = {}
    ff: dict[int, Figure] = {}
    for number in slow:
        layer = by_law.layers[number - 1]
        lut[number] = replace(layer.lut, original=(layer.lut.value / ADDER_GRAPH_LUT_RATIO, "adder-graph"))
        ff[number] = layer.ff
    law_luts = sum(figure.value for figure in lut.values()) / ADDER_GRAPH_LUT_RATIO
    bounds = stretches_between(slow, len(network.layers) + 1)
    stretches = build_stretches(network, bounds, law_luts, target.clock_ns)
    lut_ratio, lut_spread = APART_LUT_RATIO * ADDER_GRAPH_LUT_RATIO, combined(APART_LUT_SPREAD, ADDER_GRAPH_LUT_SPREAD)
    ff_ratio, ff_spread = APART_FF_RATIO * NETLIST_FF_RATIO, combined(APART_FF_SPREAD, NETLIST_FF_SPREAD)
    for stretch in stretches:
        for part, luts in enumerate(stretch.parts, stretch.first):
            flip_flops = stretch.netlist.flip_flops * luts / max(stretch.netlist.luts, 1.0)
            lut[part] = carried(luts, lut_ratio, lut_spread, "adder-graph", by_law.figures.lut, _SOURCE + _CARRIED)
            ff[part] = carried(flip_flops, ff_ratio, ff_spread, "adder-graph", by_law.figures.ff, _SOURCE + _CARRIED)
    layers = tuple(
        replace(layer, lut=lut[part], ff=ff[part])
        for layer, part in zip(by_law.layers, _in_order(network), strict=True)
    )
    figures = replace(
        by_law.figures,
        lut=summed([layer.lut for layer in layers], source),
        ff=summed([layer.ff for layer in layers], source),
    )
    of_graphs = sum(stretch.netlist.levels for stretch in stretches)
    of_law = float(adder_graph_depth(measured_traits(network))[np.array(slow) - 1].sum())
    least, value, most = (
        1 + math.ceil((a * of_graphs + b * of_law) / stretches[0].netlist.levels_per_cycle)
        for a, b in zip((APART_LEVELS[0], 1.0, APART_LEVELS[1]), (_LAW_DEPTH[0], 1.0, _LAW_DEPTH[1]), strict=True)
    )
    cycles = replace(by_law.figures.latency_cycles, value=value, low=least, high=most, source=source)
    ns = {name: getattr(cycles, name) * target.clock_ns for name in ("value", "low", "high")}
    latency_ns = replace(by_law.figures.latency_ns, source=source, **ns)
    return DesignCost(by_law.mapping, replace(figures, latency_cycles=cycles, latency_ns=latency_ns), layers)


def _in_order(network: QuantizedNetwork) -> list[int]:
    """Return the parts, 0 the input format, as :class:`DesignCost` has them: layers, then what is around them."""
    return [*range(1, len(network.layers) + 1), 0]

"""What a trained network costs by logic synthesis of its netlist: of the whole, or layer by layer where it is large."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nas_fpga.hardware._adder_graph import Netlist, adder_graph, build_netlist
from nas_fpga.hardware._design_cost import OF_YOSYS, DesignCost, carried, scaled
from nas_fpga.hardware._figures import Figure
from nas_fpga.hardware._graph_cost import cost_by_adder_graph, netlist_period, slow_layers
from nas_fpga.hardware._graph_time import MOST_GRAPH_S
from nas_fpga.hardware._limits import Target
from nas_fpga.hardware._logic_synthesis import CellCounts, synthesise, yosys_family
from nas_fpga.hardware._parts_cost import (
    APART_FF_RATIO,
    APART_FF_SPREAD,
    build_stretches,
    of_part,
    summed,
)
from nas_fpga.training import QuantizedNetwork

MOST_SYNTHESIS_LUTS = 60_000
"""LUTs by estimate that are synthesised in one piece: 35,000 take Yosys 3 minutes and 1.2 GB."""

# Yosys' LUTs of a netlist over the sum of those of its parts, each by itself, whose words all come in at once: 1.06 to
# 1.18 in hgcal-uniform-0, -2, -5 and hgcal-learned-2, -5 of benchmarks/estimators (848 to 14,779 LUT); geometric mean,
# and half-width of the 90 % interval of the logarithm for a sixth. Flip-flops: .91 to 1.18 in the four above 2,000 LUT,
# within what is known of adder graphs.
APART_LUT_RATIO, APART_LUT_SPREAD = 1.10, 0.10


def cost_by_synthesis(
    network: QuantizedNetwork,
    target: Target,
    *,
    most_graph_s: float = MOST_GRAPH_S,
    most_luts: float = MOST_SYNTHESIS_LUTS,
    message: Callable[[str], None],
) -> DesignCost:
    """Return what a trained network costs in distributed arithmetic, by logic synthesis of its netlist with Yosys.

    How a design that is synthesised in one piece divides over its layers is known of the adder graph only.

    Args:
        network: In integers.
        target: Part, clock and rate.
        most_graph_s: See :func:`cost_by_adder_graph`; layers beyond it are not synthesised either.
        most_luts: By the adder graph, of a design that is synthesised in one piece; the layers of a larger one are
            synthesised one by one and added up, which widens the intervals.
        message: Told how long synthesis has run.

    Raises:
        InputError: Yosys is not installed.
        ToolFailedError: It failed, or needed too much time or memory.
    """
    by_graph = cost_by_adder_graph(network, target, most_graph_s=most_graph_s)
    slow = slow_layers(network, most_graph_s)
    if slow or by_graph.figures.lut.value > most_luts:
        return _layer_by_layer(network, target, by_graph, slow, message)
    netlist = build_netlist(adder_graph(network), target.clock_ns)
    counts = _synthesised(netlist, "net", target, message)
    was = by_graph.figures
    lut = carried_from_synthesis(counts.lut, was.lut, target)
    ff = carried(counts.ff, "logic-synthesis", "ff", was.ff, target, OF_YOSYS)
    layers = tuple(
        replace(layer, lut=_part(lut, layer.lut, was.lut), ff=_part(ff, layer.ff, was.ff)) for layer in by_graph.layers
    )
    period = netlist_period(counts.lut, "logic-synthesis", netlist, target)
    return DesignCost(by_graph.mapping, replace(was, lut=lut, ff=ff, period_ns=period), layers)


def carried_from_synthesis(lut: int, was: Figure, target: Target) -> Figure:
    """Return LUTs that Yosys counted at the stage of ranking, in place of a figure that was estimated."""
    return carried(lut, "logic-synthesis", "lut", was, target, OF_YOSYS)


def _layer_by_layer(
    network: QuantizedNetwork,
    target: Target,
    by_graph: DesignCost,
    slow: tuple[int, ...],
    message: Callable[[str], None],
) -> DesignCost:
    """Return the cost of a network whose layers are synthesised one by one; slow ones keep the law's figures."""
    n_parts = len(network.layers) + 1
    others = sum((part.original or (part.value,))[0] for part in (by_graph.layers[number - 1].lut for number in slow))
    bounds = [(part, part + 1) for part in range(n_parts) if part not in slow]
    layers = list(by_graph.layers)
    for stretch in build_stretches(network, bounds, others, target.clock_ns):
        place = (stretch.first - 1) % n_parts  # the input format is the last of the layers
        layer = layers[place]
        counts = _synthesised(stretch.netlist, layer.name.replace(" ", "_"), target, message)
        lut = carried_from_synthesis(counts.lut, layer.lut, target)
        ff = carried(counts.ff, "logic-synthesis", "ff", layer.ff, target, OF_YOSYS)
        layers[place] = replace(
            layer,
            lut=of_part(lut, APART_LUT_RATIO, APART_LUT_SPREAD),
            ff=of_part(ff, APART_FF_RATIO, APART_FF_SPREAD),
        )
    by_law = f", law for {', '.join(f'dense {number}' for number in slow)}" if slow else ""
    source = f"{OF_YOSYS}, layer by layer{by_law}"
    if target.rank_stage != "logic-synthesis":
        source += f"; logic-synthesis carried to {target.rank_stage}"
    figures = replace(
        by_graph.figures,
        lut=summed([layer.lut for layer in layers], source),
        ff=summed([layer.ff for layer in layers], source),
    )
    return DesignCost(by_graph.mapping, figures, tuple(layers))


def _synthesised(netlist: Netlist, name: str, target: Target, message: Callable[[str], None]) -> CellCounts:
    with tempfile.TemporaryDirectory() as folder:
        files = netlist.write(Path(folder), name, "verilog")
        return synthesise(files, name, yosys_family(target.part), message=message)


def _part(whole: Figure, of: Figure, in_whole: Figure) -> Figure:
    """Return the part of a whole that one figure was in another."""
    share = of.value / in_whole.value if in_whole.value > 0 else 0.0
    return scaled(whole, share * whole.value, whole.value)

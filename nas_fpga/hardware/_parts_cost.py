"""A network in parts: those that a tool looks at one by one, those that stay with the law, and what they add up to."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

from nas_fpga.hardware._adder_graph import Netlist, adder_graph_of_stretch, build_netlist
from nas_fpga.hardware._figures import Figure
from nas_fpga.hardware._stages import combined
from nas_fpga.hardware._traits import live_weights
from nas_fpga.training import QuantizedNetwork

# What a network costs over what its parts cost that are looked at one by one, at stage adder-graph: geometric mean and
# half-width of the 90 % interval of the logarithm, over the 14 networks above 7,000 LUT that
# benchmarks/estimators/networks.py keeps for fits, every part by itself: LUT .99-1.05, FF .84-1.21.
APART_LUT_RATIO, APART_LUT_SPREAD = 1.01, 0.03
APART_FF_RATIO, APART_FF_SPREAD = 1.08, 0.18
# The same of levels of adders: the deepest sums of one part seldom start the deepest of the next.
APART_LEVELS = (0.80, 1.15)


@dataclass(frozen=True)
class Stretch:
    """Consecutive parts of a network, with their netlist.

    Attributes:
        first: The first: 0 is the input format, `k` the `k`-th layer.
        stop: The one after the last.
        parts: LUTs of each, stage `adder-graph`.
        netlist: Of them all.
    """

    first: int
    stop: int
    parts: tuple[float, ...]
    netlist: Netlist


def stretches_between(skipped: tuple[int, ...], n_parts: int) -> list[tuple[int, int]]:
    """Return first and stop of the parts that lie between those that are skipped, in order."""
    ends = [-1, *skipped, n_parts]
    return [(before + 1, after) for before, after in itertools.pairwise(ends) if before + 1 < after]


def build_stretches(
    network: QuantizedNetwork, bounds: list[tuple[int, int]], other_luts: float, clock_ns: float
) -> list[Stretch]:
    """Return the netlists of stretches of one design.

    Args:
        network: In integers.
        bounds: First and stop of each.
        other_luts: What the design has beside them, stage `adder-graph`.
        clock_ns: Decides, with the LUTs of the whole, how many levels of adders fit between two registers.
    """
    layers = zip(network.layers, live_weights(network), strict=True)
    kept = replace(network, layers=tuple(replace(layer, weights=weights) for layer, weights in layers))
    graphs = [adder_graph_of_stretch(kept, first, stop) for first, stop in bounds]
    total = sum(graph.luts for graph in graphs) + other_luts
    return [
        Stretch(first, stop, graph.parts, build_netlist(graph, clock_ns, other_luts=total - graph.luts))
        for graph, (first, stop) in zip(graphs, bounds, strict=True)
    ]


def of_part(figure: Figure, ratio: float, spread: float) -> Figure:
    """Return what a part has in the whole, of what it has by itself: a measured ratio, whose spread widens it."""
    if figure.value <= 0:
        return figure
    value = ratio * figure.value
    below, above = (combined(math.log(end / figure.value), spread) for end in (figure.low, figure.high))
    return replace(figure, value=value, low=value * math.exp(-below), high=value * math.exp(above))


def summed(parts: list[Figure], source: str) -> Figure:
    """Return what figures of parts add up to; so do the ends of their intervals, as their errors go together."""
    originals = [part.original for part in parts if part.original is not None]
    original = (sum(value for value, _ in originals), originals[0][1]) if len(originals) == len(parts) else None
    return replace(
        parts[0],
        value=sum(part.value for part in parts),
        low=sum(part.low for part in parts),
        high=sum(part.high for part in parts),
        source=source,
        original=original,
    )

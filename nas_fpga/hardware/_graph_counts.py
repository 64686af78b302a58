"""What figures need of a network's adder graph: counted by da4ml in seconds once, and recalled from then on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from nas_fpga import __version__
from nas_fpga.hardware._adder_graph import adder_graph, build_netlist, da4ml_version
from nas_fpga.hardware._adder_law import placed_luts
from nas_fpga.hardware._cache import cache_folder, keep, recall
from nas_fpga.hardware._graph_operations import LUTS_PER_BIT
from nas_fpga.hardware._period import adder_levels_per_cycle
from nas_fpga.training import QuantizedNetwork

# LUTs by law above which da4ml may take minutes: nothing was measured beyond 68,000, and dense layers take longest.
MOST_GRAPH_LUTS = 100_000
# CPU seconds of da4ml 0.6.0 for 1,000 LUTs by law, and how they grow: fit to 43 networks of 700 to 68,000 LUTs in
# benchmarks/estimators/networks, each within a factor of four and all together right.
_SECONDS, _SECONDS_POWER = 0.012, 1.5


@dataclass(frozen=True)
class GraphCounts:
    """What a pipelined adder graph takes, stage `adder-graph`.

    Attributes:
        luts: Its cost in LUTs.
        parts: How they divide over the input format and each layer, with its bias and quantizer.
        levels: Levels of adders from input to output.
        levels_per_cycle: Most of them between two registers.
        flip_flops: Bits of its registers.
        latency_cycles: Registers from input to output, both ends included.
    """

    luts: float
    parts: tuple[float, ...]
    levels: int
    levels_per_cycle: int
    flip_flops: int
    latency_cycles: int


@dataclass(frozen=True)
class _Adders:
    """The part of the counts that no clock changes."""

    luts: float
    parts: tuple[float, ...]
    levels: int


@dataclass(frozen=True)
class _Registers:
    """The part that depends on the levels of adders between two of them."""

    flip_flops: int
    latency_cycles: int


def expected_graph_s(static_luts: float) -> float:
    """Return the CPU seconds that da4ml is expected to need for a network of these LUTs by law."""
    return float(_SECONDS * (static_luts / 1000) ** _SECONDS_POWER)


def count_adder_graph(network: QuantizedNetwork, clock_ns: float) -> GraphCounts:
    """Return what the adder graph of a trained network takes.

    Kept in ``~/.cache/nas-fpga/adder-graphs`` by the network's numbers, the versions of da4ml and of this package, and
    the LUTs of operations; registers by the levels between them too.

    Args:
        network: As trained.
        clock_ns: Decides how many levels of adders fit between two registers.
    """
    folder, content = cache_folder("adder-graphs"), _content(network)
    adders = recall(folder / f"{content}.json", _Adders)
    graph = None
    if adders is None:
        graph = adder_graph(network)
        adders = _Adders(graph.luts, graph.parts, graph.levels)
        keep(folder / f"{content}.json", adders)
    per_cycle = adder_levels_per_cycle(placed_luts(adders.luts), clock_ns)
    registers = recall(folder / f"{content}-{per_cycle}.json", _Registers)
    if registers is None:
        netlist = build_netlist(graph or adder_graph(network), clock_ns)
        registers = _Registers(netlist.flip_flops, netlist.latency_cycles)
        keep(folder / f"{content}-{per_cycle}.json", registers)
    return GraphCounts(**vars(adders), levels_per_cycle=per_cycle, **vars(registers))


def _content(network: QuantizedNetwork) -> str:
    """Return a digest of all that an adder graph depends on."""
    form = network.input_format
    digest = hashlib.sha256(f"{da4ml_version()} {__version__} {sorted(LUTS_PER_BIT.items())}".encode())
    of_layers = (
        (layer.weights, layer.bias, layer.activation_bits, layer.activation_fraction_bits,
         [layer.weight_fraction_bits, layer.bias_fraction_bits])
        for layer in network.layers
    )  # fmt: skip
    for values in ((form.bits, form.signed, form.fraction_bits, form.scale_log2), *of_layers):
        for value in values:
            array = np.asarray([] if value is None else value, np.int64)
            digest.update(f"{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()[:32]

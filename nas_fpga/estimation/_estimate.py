"""From a model or topology to what it costs."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from nas_fpga.errors import InputError
from nas_fpga.hardware import (
    MOST_GRAPH_S,
    RESOURCES,
    STRATEGIES,
    VENDOR_STAGES,
    DesignCost,
    HardwareFigures,
    Mapping,
    ReuseOption,
    Rung,
    Strategy,
    Target,
    VendorStage,
    cost_by_adder_graph,
    cost_by_law,
    cost_by_synthesis,
    cost_by_vendor,
    cost_of_topology,
    enumerate_mappings,
    layer_graph_s,
    make_target,
    measured_traits,
    nearest_reuse_factor,
    preflight,
    reuse_options,
    slow_layers,
    topology_traits,
    vendor_clock_ns,
)
from nas_fpga.space import BitWidths
from nas_fpga.training import QuantizedNetwork

if TYPE_CHECKING:
    import keras

RUNGS: tuple[Rung | VendorStage, ...] = (*get_args(Rung), *VENDOR_STAGES)

_TOPOLOGY = re.compile(r"\d+(-\d+)+")
_MOST_WIDTH = 100_000
_DEFAULT_BITS, _DEFAULT_INPUT_BITS, _MOST_BITS = 6, 10, 16


@dataclass(frozen=True)
class Estimate:
    """What one network costs.

    Attributes:
        title: File or topology, with its widths.
        target: Part, clock, rate and limits.
        cost: Of the mapping that was asked for or is the cheapest, layer by layer.
        others: All mappings that the tools build, by law: LUT, DSP and latency against each other.
        reuse: For every dense layer the reuse factors of hls4ml's Resource strategy.
        notes: What the vendor's tools will refuse, what does not fit, and what is suspicious: one line each.
    """

    title: str
    target: Target
    cost: DesignCost
    others: tuple[tuple[Mapping, HardwareFigures], ...]
    reuse: tuple[tuple[ReuseOption, ...], ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON-ready values; every figure has value, unit, stage, interval and source.

        A share of a limit of 0 that is broken is None.
        """
        shares = self.cost.figures.shares(self.target)
        return {
            "title": self.title,
            "part": self.target.part.name,
            "clock_ns": self.target.clock_ns,
            "mapping": str(self.cost.mapping),
            "figures": _as_json(self.cost.figures),
            "shares": {name: share if math.isfinite(share) else None for name, share in shares.items()},
            "violations": list(self.cost.figures.violations(self.target)),
            "layers": [asdict(layer) for layer in self.cost.layers],
            "mappings": [{"mapping": str(mapping), "figures": _as_json(figures)} for mapping, figures in self.others],
            "reuse_factors": [[asdict(option) for option in options] for options in self.reuse],
            "notes": list(self.notes),
        }


def estimate(
    model: str | Path | QuantizedNetwork | keras.Model,
    *,
    bits: int | None = None,
    input_bits: int | None = None,
    strategy: str | None = None,
    reuse_factor: int | None = None,
    stage: str | None = None,
    graph_seconds: float = MOST_GRAPH_S,
    message: Callable[[str], None] = print,
    **hardware: Any,
) -> Estimate:
    """Return what a network costs on an FPGA, layer by layer.

    Args:
        model: A network of a search; a model of Keras 3; a ``.keras``, ``.h5`` or ``.onnx`` file; a checkpoint
            ``network_0.npz``; the folder of an hls4ml project; or a topology such as ``"16-64-32-32-5"``: features,
            hidden layers, outputs.
        bits: Of weights and activations of a topology (6) or a float model (16).
        input_bits: Of the features of a topology (10) or a float model.
        strategy: ``"distributed_arithmetic"``, ``"latency"`` or ``"resource"``; by default that of the project, else
            the cheapest.
        reuse_factor: For ``"resource"``: of all layers.
        stage: ``"estimate"``: laws, in milliseconds. ``"adder-graph"``: da4ml on the trained weights, in seconds, the
            default where there are weights; other strategies than distributed arithmetic have laws only.
            ``"logic-synthesis"``: Yosys on the netlist, in minutes; above 60,000 LUT layer by layer. All these figures
            are carried to ``rank_stage``. Of a project ``"csynth"``, ``"vendor-synthesis"`` and
            ``"place-and-route"``: its reports of that stage, as they are, or the vendor's tools, which run where there
            are none; at the clock of the project unless ``clock_ns`` is given.
        graph_seconds: Time that the adder graphs may be expected to take; layers beyond it, the slowest, keep the
            figures of the law, with its intervals.
        message: Told what a reader had to assume, and how long synthesis has run.
        **hardware: Of :func:`nas_fpga.make_target`: ``part="vu9p"``, ``clock_ns=4``, ``region="5%"``, ...

    Raises:
        InputError: A wrong argument, or a model that cannot be read.
    """
    target = make_target(**hardware)
    if not graph_seconds >= 0:
        raise InputError(f"--graph-seconds {graph_seconds} must be at least 0")
    rung = _checked(stage, RUNGS, "--stage")
    asked = _checked(strategy and strategy.replace("-", "_"), STRATEGIES, "--strategy")
    project = _project(model, rung, asked) if rung in VENDOR_STAGES else None
    if isinstance(model, str) and _TOPOLOGY.fullmatch(model) and not Path(model).exists():
        return _of_topology(model, bits, input_bits, asked, reuse_factor, rung, target)
    if isinstance(model, QuantizedNetwork):
        network, of_project, title = model, None, str(model.candidate)
    else:
        from nas_fpga.models import read_model

        source = Path(model) if isinstance(model, str) else model
        read = read_model(source, bits=bits, input_bits=input_bits, message=message)
        network, of_project = read.network, read.mapping
        title = f"{source.name}: {'-'.join(map(str, _widths(network)))}"
    if project is not None and "clock_ns" not in hardware:
        clock_ns = vendor_clock_ns(project, rung, message=message)
        if clock_ns is None:
            raise InputError(f"{project} does not say its clock period; give --clock-ns")
        target = make_target(**hardware, clock_ns=clock_ns)
    shapes = [(layer.n_in, layer.n_out) for layer in network.layers]
    mappings = enumerate_mappings(shapes, target)
    by_law = {mapping: cost_by_law(network, mapping, target) for mapping in mappings}
    mapping = _asked_mapping(shapes, asked, reuse_factor) or of_project or _cheapest(by_law, target)
    if mapping not in by_law:
        by_law[mapping] = cost_by_law(network, mapping, target)
    cost, notes = by_law[mapping], [*_moved(shapes, mapping, reuse_factor), *preflight(shapes, mapping)]
    if project is not None:
        cost, said = cost_by_vendor(project, rung, cost, target, message=message)
        notes += said
        if of_project is None:
            notes.append(f"the project's layers have several strategies; what no report says is that of {mapping}")
    elif mapping.strategy == "distributed_arithmetic":
        if rung == "logic-synthesis":
            cost = cost_by_synthesis(network, target, most_graph_s=graph_seconds, message=message)
        elif rung != "estimate":
            cost = cost_by_adder_graph(network, target, most_graph_s=graph_seconds)
        if rung != "estimate":
            notes += _left_to_the_law(network, graph_seconds)
    elif rung == "logic-synthesis":
        raise InputError(f"--stage logic-synthesis needs RTL, which {mapping} has none of here; take estimate")
    notes += _suspicions(network)
    traits = measured_traits(network)
    return _result(title, target, cost, by_law, reuse_options(traits, target), notes)


def _of_topology(
    topology: str,
    bits: int | None,
    input_bits: int | None,
    strategy: Strategy | None,
    reuse_factor: int | None,
    rung: Rung | VendorStage | None,
    target: Target,
) -> Estimate:
    if rung not in (None, "estimate"):
        raise InputError(f"--stage {rung} needs trained weights; {topology} has none, give a model or take estimate")
    widths = tuple(int(width) for width in topology.split("-"))
    if not all(1 <= width <= _MOST_WIDTH for width in widths):
        raise InputError(f"topology {topology} must have widths from 1 to {_MOST_WIDTH:,}")
    if len(widths) < 3:
        raise InputError(f"topology {topology} must have features, at least one hidden layer, and outputs")
    of_both = _DEFAULT_BITS if bits is None else bits
    if not 2 <= of_both <= _MOST_BITS:
        raise InputError(f"bits {of_both} must be from 2 to {_MOST_BITS}")
    widths_of_bits = BitWidths(of_both, of_both)
    of_inputs = _DEFAULT_INPUT_BITS if input_bits is None else input_bits
    if not 2 <= of_inputs <= _MOST_BITS:
        raise InputError(f"input bits {of_inputs} must be from 2 to {_MOST_BITS}")
    shapes = list(itertools.pairwise(widths))

    def cost(mapping: Mapping) -> DesignCost:
        return cost_of_topology(widths, widths_of_bits, of_inputs, mapping, target)

    by_law = {mapping: cost(mapping) for mapping in enumerate_mappings(shapes, target)}
    mapping = _asked_mapping(shapes, strategy, reuse_factor) or _cheapest(by_law, target)
    notes = [*_moved(shapes, mapping, reuse_factor), *preflight(shapes, mapping)]
    notes.append("not trained: weights are expected ones, which widens the intervals")
    if mapping not in by_law:
        by_law[mapping] = cost(mapping)
    traits = topology_traits(widths, widths_of_bits, of_inputs)
    title = f"{topology} {widths_of_bits}"
    return _result(title, target, by_law[mapping], by_law, reuse_options(traits, target), notes)


def _result(
    title: str,
    target: Target,
    cost: DesignCost,
    by_law: dict[Mapping, DesignCost],
    reuse: tuple[tuple[ReuseOption, ...], ...],
    notes: list[str],
) -> Estimate:
    figures = cost.figures
    notes += [f"over the limit: {violation}" for violation in figures.violations(target)]
    regions = [
        f"{getattr(target.part, name) / target.part.slrs:,.0f} {name.upper()}"
        for name in RESOURCES
        if target.part.slrs > 1 and getattr(figures, name).value > getattr(target.part, name) / target.part.slrs
    ]
    if regions:
        notes.append(f"one copy is larger than a super logic region, which has {', '.join(regions)}")
    others = tuple((mapping, other.figures) for mapping, other in by_law.items())
    return Estimate(title, target, cost, others, reuse, tuple(notes))


def _asked_mapping(
    shapes: list[tuple[int, int]], strategy: Strategy | None, reuse_factor: int | None
) -> Mapping | None:
    if reuse_factor is not None and reuse_factor < 1:
        raise InputError(f"--reuse-factor {reuse_factor} must be at least 1")
    if reuse_factor is not None and strategy != "resource":
        raise InputError(f"--reuse-factor {reuse_factor} is for --strategy resource")
    if strategy == "resource" and reuse_factor is None:
        raise InputError("--strategy resource needs --reuse-factor N, such as 8")
    if strategy is None:
        return None
    if strategy != "resource" or reuse_factor is None:
        return Mapping(strategy, (1,) * len(shapes))
    return Mapping(strategy, tuple(nearest_reuse_factor(n_in, n_out, reuse_factor) for n_in, n_out in shapes))


def _moved(shapes: list[tuple[int, int]], mapping: Mapping, reuse_factor: int | None) -> list[str]:
    """Return what hls4ml makes of a reuse factor in layers that cannot have it."""
    return [
        f"dense {number} ({n_in} x {n_out}): reuse factor {factor}, the nearest to {reuse_factor} that hls4ml has"
        for number, ((n_in, n_out), factor) in enumerate(zip(shapes, mapping.reuse_factors, strict=True), 1)
        if reuse_factor not in (None, factor)
    ]


def _cheapest(by_law: dict[Mapping, DesignCost], target: Target) -> Mapping:
    return min(by_law, key=lambda mapping: by_law[mapping].figures.constrained_share(target))


def _suspicions(network: QuantizedNetwork) -> list[str]:
    """Return what makes a design smaller than it should be."""
    found = []
    n_outputs = network.layers[-1].n_out
    constant = n_outputs - int(measured_traits(network).busy_outputs[-1])
    if constant:
        found.append(f"{constant} of {n_outputs} outputs do not depend on the features: the tools optimise them away")
    unused = int((~network.input_format.used).sum())
    if unused:
        found.append(f"{unused} of {len(network.input_format.used)} features are not used")
    return found


def _project(model: object, rung: str, asked: Strategy | None) -> Path:
    """Return the folder of a project, whose strategy nobody asks to be another.

    Raises:
        InputError: The model is no project, or a strategy is asked for.
    """
    if not isinstance(model, str | Path) or not Path(model).is_dir():
        raise InputError(
            f"--stage {rung} needs a project: an hls4ml project or one of nas-fpga export; give its folder"
        )
    if asked is not None:
        raise InputError(f"--strategy {asked} is not for --stage {rung}: the project has its own, leave it out")
    return Path(model)


def _left_to_the_law(network: QuantizedNetwork, most_graph_s: float) -> list[str]:
    """Return which layers have no adder graph, and the time that all would have one in."""
    slow = slow_layers(network, most_graph_s)
    if not slow:
        return []
    names = ", ".join(f"dense {number}" for number in slow)
    total_s = float(layer_graph_s(measured_traits(network)).sum())
    return [f"{names} by law: the adder graphs take about {total_s:,.0f} s in all; --graph-seconds N allows more"]


def _as_json(figures: HardwareFigures) -> dict[str, Any]:
    latency = figures.achievable_latency_ns
    return asdict(figures) | {"achievable_latency_ns": latency and asdict(latency)}


def _widths(network: QuantizedNetwork) -> list[int]:
    return [network.layers[0].n_in, *(layer.n_out for layer in network.layers)]


def _checked(value: str | None, known: tuple[Any, ...], option: str) -> Any:
    if value is not None and value not in known:
        raise InputError(f"{option} {value} is none of {', '.join(known)}")
    return value

"""`nas-fpga estimate`: what a model or a topology costs on an FPGA."""

from __future__ import annotations

import json as json_module
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_fpga.cli import _options as options
from nas_fpga.cli._output import show, tell
from nas_fpga.cli.export import StrategyOption

if TYPE_CHECKING:
    from rich.table import Table

    from nas_fpga.estimation import Estimate
    from nas_fpga.hardware import Figure, HardwareFigures

_WHAT, _HOW = "What", "How"


class Stage(StrEnum):
    """Rungs of the ladder."""

    estimate = "estimate"
    adder_graph = "adder-graph"
    logic_synthesis = "logic-synthesis"
    csynth = "csynth"
    vendor_synthesis = "vendor-synthesis"
    place_and_route = "place-and-route"


def estimate(
    ctx: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A .keras, .h5 or .onnx file, a checkpoint network_0.npz, the folder of an hls4ml project, or a "
            "topology such as 16-64-32-32-5: features, hidden layers, outputs.",
        ),
    ],
    compare: Annotated[
        str | None, typer.Option(help="Another SOURCE, shown beside the first.", rich_help_panel=_WHAT)
    ] = None,
    bits: Annotated[
        int | None,
        typer.Option(help="Of weights and activations of a topology (6) or a float model (16).", rich_help_panel=_WHAT),
    ] = None,
    input_bits: Annotated[
        int | None,
        typer.Option(help="Of the features of a topology (10) or a float model.", rich_help_panel=_WHAT),
    ] = None,
    stage: Annotated[
        Stage | None,
        typer.Option(
            help="estimate: laws, at once. adder-graph: da4ml on the trained weights, seconds; the default where there "
            "are weights. logic-synthesis: Yosys on the netlist, minutes. Of a project its reports, or the vendor's "
            "tools on PATH: csynth, vendor-synthesis, place-and-route.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    graph_seconds: Annotated[
        float,
        typer.Option(
            help="Time that adder graphs may be expected to take; the slowest layers beyond it are by law.",
            rich_help_panel=_HOW,
        ),
    ] = 60.0,
    strategy: Annotated[
        StrategyOption | None, typer.Option(help="By default the cheapest.", rich_help_panel=_HOW)
    ] = None,
    reuse_factor: Annotated[
        int | None, typer.Option(help="For --strategy resource: of all layers.", rich_help_panel=_HOW)
    ] = None,
    reuse_factors: Annotated[
        bool,
        typer.Option(
            "--reuse-factors", help="List what every layer may have in hls4ml, with its cost.", rich_help_panel=_HOW
        ),
    ] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the layers' shares into this PNG file.")] = None,
    part: options.Part = None,
    clock_ns: options.ClockNs = None,
    rate_mhz: options.RateMhz = None,
    region: options.Region = None,
    max_luts: options.MaxLuts = None,
    max_ffs: options.MaxFfs = None,
    max_dsps: options.MaxDsps = None,
    max_brams: options.MaxBrams = None,
    max_latency_ns: options.MaxLatencyNs = None,
    beside: options.Beside = None,
    fill: options.Fill = "80%",
    objective: options.ObjectiveOption = None,
    rank_stage: options.RankStageOption = None,
    calibration: options.CalibrationOption = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Print what a network costs on an FPGA, layer by layer, before anybody synthesises it.

    Figures have 90 % intervals and are carried to --rank-stage, unless they were read from a project's reports; --json
    has the original of each, with its stage.

    A topology: nas-fpga estimate 16-64-32-32-5 --bits 6

    A trained model: nas-fpga estimate model.keras --part vu9p --clock-ns 4
    """
    del debug, beside, fill  # read from the context
    hardware = options.hardware(ctx)

    from nas_fpga.estimation import estimate as estimated

    found = [
        estimated(
            model,
            bits=bits,
            input_bits=input_bits,
            strategy=options.plain(strategy),
            reuse_factor=reuse_factor,
            stage=options.plain(stage),
            graph_seconds=graph_seconds,
            message=tell,
            **hardware,
        )
        for model in (source, compare)
        if model is not None
    ]
    if plot is not None:
        from nas_fpga.estimation import plot_layers

        plot_layers(found[0], plot)
    if json:
        values = [one.as_json() for one in found]
        typer.echo(json_module.dumps(values[0] if compare is None else values, indent=2))
        return
    for one in found:
        _print(one, reuse_factors)
    if len(found) == 2:
        _print_comparison(*found)


def _print(one: Estimate, reuse_factors: bool) -> None:
    target, figures = one.target, one.cost.figures
    typer.echo(
        f"\n{one.title} on {target.part.name}, {target.clock_ns:g} ns, {target.rate_mhz:g} inferences/us; "
        f"mapping {one.cost.mapping}\nLUT: {figures.lut.source}\n"
    )
    table = _table("layer", "shape", "weights", "bits", "LUT", "[90 %]", "FF", "[90 %]", "DSP", "BRAM18")
    for layer in one.cost.layers:
        shape = f"{layer.n_in} x {layer.n_out}" if layer.n_out else ""
        weights = f"{layer.nonzero:,.0f}" if layer.n_out else ""
        bits = f"{layer.weight_bits} x {layer.input_bits}" if layer.n_out else ""
        cells = (*_cells(layer.lut), *_cells(layer.ff), _number(layer.dsp), _number(layer.bram18))
        table.add_row(layer.name, shape, weights, bits, *cells)
    table.add_section()
    table.add_row(
        "one copy",
        *("", "", ""),
        *_cells(figures.lut),
        *_cells(figures.ff),
        _number(figures.dsp),
        _number(figures.bram18),
    )
    shares = figures.shares(target)
    percent = [f"{shares[name]:.2%}" for name in ("lut", "ff", "dsp", "bram18")]
    copies = f"{figures.copies} copies" if figures.copies > 1 else "1 copy"
    table.add_row(f"limits, {copies}", "", "", "", percent[0], "", percent[1], "", *percent[2:])
    show(table)
    cycles, ii = figures.latency_cycles, figures.ii_cycles
    typer.echo(
        f"latency {cycles.value:,.0f} cycles [{cycles.low:,.0f}, {cycles.high:,.0f}], "
        f"{figures.latency_ns.value:,.0f} ns at the asked clock; initiation interval {ii.value:,.0f}\n"
        f"{_timing(figures)}\n"
        "weights: those that are not 0; bits: of weights x inputs; around: input format, and what a design has once\n"
    )
    table = _table("mapping, by law", "LUT", "[90 %]", "DSP", "BRAM18", "ns", "II", "copies", "keeps the limits")
    for mapping, law in one.others:
        mark = "" if mapping != one.cost.mapping else " *"
        keeps = "yes" if law.is_feasible(target) else "no"
        numbers = [_number(figure) for figure in (law.dsp, law.bram18, law.latency_ns, law.ii_cycles)]
        table.add_row(f"{mapping}{mark}", *_cells(law.lut), *numbers, str(law.copies), keeps)
    show(table)
    if reuse_factors:
        _print_reuse(one)
    for note in one.notes:
        typer.echo(f"note: {note}")


def _timing(figures: HardwareFigures) -> str:
    period, latency = figures.period_ns, figures.achievable_latency_ns
    assert period is not None  # only studies from before have none
    assert latency is not None
    return (
        f"achievable clock period {period.value:.1f} ns [{period.low:.1f}, {period.high:.1f}], "
        f"with it a latency of {latency.value:,.0f} ns [{latency.low:,.0f}, {latency.high:,.0f}]"
    )


def _print_reuse(one: Estimate) -> None:
    table = _table("layer", "reuse factor", "II", "cycles", "LUT", "[90 %]", "DSP", "BRAM18")
    for number, layer in enumerate(one.reuse, 1):
        for option in layer:
            cells = (*_cells(option.lut), _number(option.dsp), _number(option.bram18))
            cycles = (_number(option.ii_cycles), _number(option.latency_cycles))
            table.add_row(f"dense {number}", str(option.reuse_factor), *cycles, *cells)
        table.add_section()
    show(table)
    typer.echo("reuse factors that hls4ml takes as they are, in strategy resource, each layer alone\n")


def _print_comparison(one: Estimate, other: Estimate) -> None:
    table = _table("", one.title, other.title, "second / first")
    for name in ("lut", "ff", "dsp", "bram18", "latency_ns"):
        first, second = getattr(one.cost.figures, name), getattr(other.cost.figures, name)
        ratio = f"{second.value / first.value:.2f}" if first.value > 0 else ""
        table.add_row(name.upper().replace("_NS", ", ns"), _number(first), _number(second), ratio)
    show(table)


def _cells(figure: Figure) -> tuple[str, str]:
    return _number(figure), f"[{figure.low:,.0f}, {figure.high:,.0f}]"


def _number(figure: Figure) -> str:
    return f"{figure.value:,.0f}"


def _table(first: str, *headings: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table

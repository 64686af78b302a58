"""`nas-fpga export`: from a point, or a model trained elsewhere, to a project for the FPGA tools."""

from __future__ import annotations

import functools
import itertools
import json as json_module
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas_fpga.cli import _options as options
from nas_fpga.cli._output import tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from nas_fpga.export import Design
    from nas_fpga.hardware import Mapping

_WHAT, _HOW, _DATA = "What", "How", "Data of SOURCE"


class Backend(StrEnum):
    """hls4ml's backends."""

    vitis = "vitis"
    vivado = "vivado"
    catapult = "catapult"
    quartus = "quartus"
    oneapi = "oneapi"


class Rtl(StrEnum):
    """Languages."""

    verilog = "verilog"
    vhdl = "vhdl"


class Decision(StrEnum):
    """A one-bit output of RTL."""

    none = "none"
    constant = "constant"
    register = "register"


class StrategyOption(StrEnum):
    """Mappings."""

    latency = "latency"
    resource = "resource"
    distributed_arithmetic = "distributed-arithmetic"


def export(
    ctx: typer.Context,
    source: Annotated[
        Path | None,
        typer.Argument(help="In place of a study: a .keras model trained elsewhere, or a checkpoint network_0.npz."),
    ] = None,
    to: Annotated[Path | None, typer.Option(help="Folder of the project.", rich_help_panel=_WHAT)] = None,
    study: options.Study = None,
    point: Annotated[
        str,
        typer.Option(
            help="A point such as 17.0; best: the cheapest within one standard error of the most precise under the "
            "limits on this line; front: all of the front, each in DIR/POINT.",
            rich_help_panel=_WHAT,
        ),
    ] = "best",
    backend: Annotated[
        Backend,
        typer.Option(
            help="hls4ml's. Vitis and Vivado can be verified here, the others cannot; Catapult only takes networks "
            "whose features have one format.",
            rich_help_panel=_HOW,
        ),
    ] = Backend.vitis,
    rtl: Annotated[
        Rtl | None, typer.Option(help="Write RTL (an adder graph) in place of an HLS project.", rich_help_panel=_HOW)
    ] = None,
    decision: Annotated[
        Decision,
        typer.Option(
            help="With --rtl: a one-bit output, score >= working point, which is a constant or a register.",
            rich_help_panel=_HOW,
        ),
    ] = Decision.none,
    strategy: Annotated[
        StrategyOption | None,
        typer.Option(help="Mapping in place of the point's; its figures are estimated anew.", rich_help_panel=_HOW),
    ] = None,
    reuse_factor: Annotated[
        int | None,
        typer.Option(help="For --strategy resource; layers take the nearest that hls4ml has.", rich_help_panel=_HOW),
    ] = None,
    bits: Annotated[
        int | None,
        typer.Option(help="Quantize a float model SOURCE to this many bits after training.", rich_help_panel=_HOW),
    ] = None,
    input_bits: Annotated[
        int | None, typer.Option(help="With --bits: bits of every feature (10).", rich_help_panel=_HOW)
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that holds other things.", rich_help_panel=_WHAT)
    ] = False,
    data: Annotated[
        str | None,
        typer.Option(
            help="Events of SOURCE: hgcal or a file. With a study: where its data file lies now.", rich_help_panel=_DATA
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Column of a file that holds the class.", rich_help_panel=_DATA)
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Column whose equal rows must not be split.", rich_help_panel=_DATA)
    ] = None,
    weight: Annotated[str | None, typer.Option(help="Column of row weights.", rich_help_panel=_DATA)] = None,
    signal: Annotated[
        str | None, typer.Option(help="Which of two classes is the signal.", rich_help_panel=_DATA)
    ] = None,
    part: options.Part = None,
    clock_ns: options.ClockNs = None,
    rate_mhz: options.RateMhz = None,
    region: options.Region = None,
    max_luts: options.MaxLuts = None,
    max_ffs: options.MaxFfs = None,
    max_dsps: options.MaxDsps = None,
    max_brams: options.MaxBrams = None,
    max_latency_ns: options.MaxLatencyNs = None,
    objective: options.ObjectiveOption = None,
    runs: options.Runs = "runs",
    storage: options.Storage = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write a point of a study as an hls4ml project or as RTL, ready for the vendor's tools.

    DIR gets a README with the figures, design.json, the Keras model, events, and hls/ or rtl/. Nothing is synthesised;
    `nas-fpga verify DIR` then proves that the project computes what Keras computes.

    The best point of the latest study: nas-fpga export --to DIR

    The best under 5,000 LUTs: nas-fpga export --max-luts 5000 --to DIR

    A model trained elsewhere: nas-fpga export model.keras --data FILE --target COLUMN --to DIR
    """
    del debug

    from nas_fpga.errors import InputError, NasFpgaError

    if to is None:
        raise InputError("export needs --to DIR: the folder of the project")
    given = options.given(ctx)
    hardware = {name: options.plain(ctx.params[name]) for name in options.HARDWARE if name in given}

    from nas_fpga.export import export as write
    from nas_fpga.export import mapping_of, read_record

    def mapping(shapes: list[tuple[int, int]]) -> Mapping:
        name: Any = strategy and strategy.value.replace("-", "_")
        return mapping_of(shapes, name, reuse_factor, message=tell)

    chosen = mapping if (strategy, reuse_factor) != (None, None) else None
    if source is None:
        wrong = [
            f"--{n.replace('_', '-')}"
            for n in ("target", "group", "weight", "signal", "bits", "input_bits")
            if n in given
        ]
        if wrong:
            raise InputError(f"{wrong[0]} is for a model SOURCE; a study has its own, leave it out")
        folder = options.existing_study(Path(runs), study, stored_elsewhere=storage is not None)
        designs = _of_study(folder, storage, hardware, data, point, to, chosen)
    else:
        wrong = [f"--{name}" for name in ("study", "point") if name in given]
        if wrong:
            raise InputError(f"{wrong[0]} is for a study, {source} is a model; leave one out")
        if data is None:
            raise InputError(f"export {source} needs --data FILE --target COLUMN: events to verify the project with")
        columns = {"target": target, "group": group, "weight": weight, "signal": signal}
        model, events = source, data
        designs = [(to, lambda: _of_model(model, events, columns, hardware, chosen, bits, input_bits))]
    records: list[dict[str, Any]] = []
    for folder, make in designs:
        try:
            write(
                make(),
                folder,
                backend=backend.value,
                rtl=options.plain(rtl),
                decision=decision.value,
                force=force,
                message=tell,
            )
        except NasFpgaError as error:
            if len(designs) == 1:
                raise
            tell(f"error: {folder}: {error}")  # the other points of the front are written all the same
            records.append({"folder": str(folder), "error": str(error)})
            continue
        records.append({"folder": str(folder), **read_record(folder)})
        if not json:
            typer.echo(_line(records[-1]))
    if json:
        typer.echo(json_module.dumps({"projects": records}, indent=2))
    raise typer.Exit(1 if any("error" in record for record in records) else 0)


def _of_study(
    folder: Path,
    storage: str | None,
    hardware: dict[str, Any],
    data: str | None,
    point: str,
    to: Path,
    mapping: Callable[[list[tuple[int, int]]], Mapping] | None,
) -> list[tuple[Path, Callable[[], Design]]]:
    """Return the folders that are asked for, each with what makes its design: one at a time fits into memory."""
    from nas_fpga.export import design_of_point, find_point
    from nas_fpga.study import read_outcome

    outcome = read_outcome(folder, storage, hardware, data=data and options.absolute(data), message=tell)
    dataset = outcome.setup.dataset

    def design(name: str) -> Design:
        trial, at = find_point(outcome, name)
        widths = (dataset.features.shape[1], *trial.topology_of(at), dataset.n_outputs)
        shapes = list(itertools.pairwise(widths))
        return design_of_point(outcome, name, mapping=mapping(shapes) if mapping is not None else None)

    if point != "front":
        return [(to, lambda: design(point))]
    return [(to / name, functools.partial(design, name)) for name in (row.point.name for row in outcome.front)]


def _of_model(
    source: Path,
    data: str,
    columns: dict[str, Any],
    hardware: dict[str, Any],
    mapping: Callable[[list[tuple[int, int]]], Mapping] | None,
    bits: int | None,
    input_bits: int | None,
) -> Design:
    from dataclasses import replace

    from nas_fpga.export import design_of_model
    from nas_fpga.hardware import make_target
    from nas_fpga.study import DataSource, load_data

    of_search = source.suffix == ".npz"  # a checkpoint of a search, which leaves constant columns out
    dataset = load_data(replace(DataSource(), name=options.absolute(data), **columns), drop_constant=of_search)
    for repair in dataset.repairs:
        tell(repair)
    return design_of_model(
        source,
        dataset,
        make_target(**hardware),
        mapping=mapping,
        bits=bits,
        input_bits=input_bits,
        message=tell,
    )


def _line(record: dict[str, Any]) -> str:
    """Return one line of a project: what it is and what it costs."""
    parts = [f"{record['folder']}: {record['title']}"]
    if record["candidate"] is not None:
        parts.append(record["candidate"])
    parts.append(record["mapping"]["name"])
    latency = "latency_ns" if record["hls"] is not None else "rtl_latency_ns"  # an IP has the latency as written
    for name in ("lut", "dsp", latency):
        if name in record["figures"]:
            figure = record["figures"][name]
            parts.append(f"{figure['value']:,.0f} {figure['unit']} ({figure['low']:,.0f}-{figure['high']:,.0f})")
    if record["hls"] is not None and not record["hls"]["verifiable"]:
        parts.append(f"for {record['hls']['backend']}: written, not verified")
    return ", ".join(parts)

"""`nas-fpga search`: the main job."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas_fpga.cli import _options as options

if TYPE_CHECKING:
    from nas_fpga.study import SearchDefinition

_DATA, _SPACE, _SEARCH, _TRAINING = "Data", "Space", "Search", "Training"
_QUICK = {"trials": 24, "epochs": 12, "patience": 4}
_DEFAULT_TRIALS = 100


class Backend(StrEnum):
    """Keras backends."""

    jax = "jax"
    tensorflow = "tensorflow"


class Acquisition(StrEnum):
    """Acquisition functions of the `bayesian-optimization` sampler."""

    ucb = "ucb"
    ei = "ei"
    poi = "poi"


def search(
    ctx: typer.Context,
    data: Annotated[
        str,
        typer.Option(
            help="hgcal (electron/pion showers) or jets (gluon, quark, W, Z, top; neither the OpenML nor the CERNBox "
            "set), which come with the package, or a file: npz, CSV, Parquet, HDF5, ROOT.",
            rich_help_panel=_DATA,
        ),
    ] = "hgcal",
    target: Annotated[
        str | None, typer.Option(help="Column of a file that holds the class.", rich_help_panel=_DATA)
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Column whose equal rows must not be split (an event).", rich_help_panel=_DATA)
    ] = None,
    weight: Annotated[str | None, typer.Option(help="Column of row weights.", rich_help_panel=_DATA)] = None,
    signal: Annotated[
        str | None,
        typer.Option(
            help="Which class is the signal: of two, the last by default; of several (jets too), against all others, "
            "each of the same weight.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    features: Annotated[
        str, typer.Option(help="Features of hgcal: ce-e (13 layer sums) or ce-e+ce-h.", rich_help_panel=_DATA)
    ] = "ce-e",
    pileup: Annotated[
        int, typer.Option(help="Pile-up collisions of hgcal: 200 or 0; 140 with --tables.", rich_help_panel=_DATA)
    ] = 200,
    tables: Annotated[
        str | None,
        typer.Option(help="Folder of hgcal tables made by `nas-fpga data hgcal`.", rich_help_panel=_DATA),
    ] = None,
    budget: Annotated[
        int, typer.Option(help="Most hidden neurons of a network, over all layers.", rich_help_panel=_SPACE)
    ] = 2000,
    max_layers: Annotated[int, typer.Option(help="Most hidden layers.", rich_help_panel=_SPACE)] = 15,
    max_width: Annotated[int | None, typer.Option(help="Most neurons of one layer.", rich_help_panel=_SPACE)] = None,
    bits: Annotated[
        str,
        typer.Option(
            help="Bits of weights and of activations: a range such as 2:8 to search, or one number such as 6.",
            rich_help_panel=_SPACE,
        ),
    ] = "2:8",
    min_params: Annotated[int | None, typer.Option(help="Fewest parameters.", rich_help_panel=_SPACE)] = None,
    max_params: Annotated[int | None, typer.Option(help="Most parameters.", rich_help_panel=_SPACE)] = None,
    include: Annotated[
        str | None,
        typer.Option(
            help="Topologies to train first, such as 64-32-32,32-16 or '64-32-32 w4a6'.", rich_help_panel=_SPACE
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(help="How many candidates are trained.  [default: 100]", rich_help_panel=_SEARCH),
    ] = None,
    sampler: Annotated[
        str,
        typer.Option(
            help="Who proposes: gp (Gaussian process), random, grid, bayesian-optimization.", rich_help_panel=_SEARCH
        ),
    ] = "gp",
    grid: Annotated[
        str | None,
        typer.Option(
            help="Widths by layer for --sampler grid, such as 8,16x8,16,32; default: a 294-point three-layer grid, a "
            "reconstruction of the reference work's.",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
    acquisition: Annotated[
        Acquisition, typer.Option(help="For --sampler bayesian-optimization.", rich_help_panel=_SEARCH)
    ] = Acquisition.ucb,
    generation: Annotated[
        int,
        typer.Option(
            help="Candidates proposed together; at most twice as many train at once.", rich_help_panel=_SEARCH
        ),
    ] = 4,
    seed: Annotated[int, typer.Option(help="Of everything random.", rich_help_panel=_SEARCH)] = 0,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Training processes; results do not depend on it.  [default: the cores]", rich_help_panel=_SEARCH
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="A first front in two minutes: 24 trials of 12 epochs.", rich_help_panel=_SEARCH),
    ] = False,
    backend: Annotated[
        Backend | None,
        typer.Option(help="Keras backend.  [default: KERAS_BACKEND, else jax]", rich_help_panel=_TRAINING),
    ] = None,
    epochs: Annotated[int, typer.Option(help="Most epochs of a training.", rich_help_panel=_TRAINING)] = 50,
    patience: Annotated[
        int, typer.Option(help="Epochs without a better validation loss before a stop.", rich_help_panel=_TRAINING)
    ] = 10,
    batch_size: Annotated[
        int, typer.Option(help="Largest batch; small data sets get smaller ones.", rich_help_panel=_TRAINING)
    ] = 1024,
    learning_rate: Annotated[float, typer.Option(help="At the start.", rich_help_panel=_TRAINING)] = 5e-3,
    input_bits: Annotated[
        int, typer.Option(help="Bits of every feature as it enters the design.", rich_help_panel=_TRAINING)
    ] = 10,
    signal_efficiency: Annotated[
        float, typer.Option(help="Signal efficiency at the working point.", rich_help_panel=_TRAINING)
    ] = 0.95,
    part: options.Part = "xcvu13p-flga2577-2-e",
    clock_ns: options.ClockNs = 5.0,
    rate_mhz: options.RateMhz = 40.0,
    region: options.Region = "slr",
    max_luts: options.MaxLuts = None,
    max_ffs: options.MaxFfs = None,
    max_dsps: options.MaxDsps = None,
    max_brams: options.MaxBrams = None,
    max_latency_ns: options.MaxLatencyNs = 1000.0,
    objective: options.ObjectiveOption = options.Objective.share,
    study: options.Study = None,
    runs: options.Runs = "runs",
    storage: options.Storage = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue a study (the latest, or --study NAME). Only --trials, --workers and the display may change.",
            rich_help_panel="Study",
        ),
    ] = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Search networks for a data set under a budget of hidden neurons, and print their Pareto front.

    Trains and quantizes every candidate, costs it on the FPGA, and leaves runs/NAME with the study, the checkpoints and
    front.csv. Ctrl-C saves; --resume continues.
    """
    del debug  # read from the command line by main
    given = options.given(ctx)
    values = dict(ctx.params)
    if quick:
        for name in _QUICK.keys() - given:
            values[name] = _QUICK[name]
            given.add(name)
    if backend is None and os.environ.get("KERAS_BACKEND"):
        values["backend"] = os.environ["KERAS_BACKEND"]
        given.add("backend")

    from nas_fpga.cli._display import make_reporter
    from nas_fpga.cli._output import print_outcome
    from nas_fpga.study import SearchRun

    reporter = make_reporter()
    run = SearchRun.prepare(
        folder=_study_folder(Path(runs), study, storage, data, budget, resume=resume),
        storage_url=storage,
        overrides=_overrides(values, given),
        n_trials=values["trials"] if "trials" in given else None,
        default_n_trials=_DEFAULT_TRIALS,
        resume=resume,
    )
    with reporter.live():
        outcome = run.execute(n_workers=workers, reporter=reporter)
    print_outcome(outcome, as_json=json)


_DATA_OPTIONS = ("target", "group", "weight", "signal", "features", "pileup", "tables")
_PLAIN_OPTIONS = (
    "budget",
    "max_layers",
    "max_width",
    "min_params",
    "max_params",
    "sampler",
    "grid",
    "acquisition",
    "generation",
    "seed",
    "backend",
    "epochs",
    "patience",
    "batch_size",
    "learning_rate",
    "input_bits",
    "signal_efficiency",
)


def _overrides(values: dict[str, Any], given: set[str]) -> Any:
    """Return what the command line sets of a search definition: a function from one definition to another."""
    from dataclasses import replace

    def apply(definition: SearchDefinition) -> SearchDefinition:
        changes: dict[str, Any] = {name: options.plain(values[name]) for name in _PLAIN_OPTIONS if name in given}
        if "budget" in given and "max_layers" not in given and 1 <= values["budget"] < definition.max_layers:
            changes["max_layers"] = values["budget"]  # the default depth asks for more neurons than there are
        data = {name: options.plain(values[name]) for name in _DATA_OPTIONS if name in given}
        if "data" in given:
            data["name"] = options.absolute(values["data"])
        hardware = {name: options.plain(values[name]) for name in options.HARDWARE if name in given}
        if "bits" in given:
            changes["weight_bits"] = changes["activation_bits"] = parse_bits(values["bits"])
        if "include" in given:
            changes["include"] = tuple(text.strip() for text in values["include"].split(","))
        return replace(
            definition,
            data=replace(definition.data, **data),
            hardware=replace(definition.hardware, **hardware),
            **changes,
        )

    return apply


def parse_bits(text: str) -> tuple[int, int]:
    """Read `2:8` or `6`.

    Raises:
        InputError: The text is neither.
    """
    from nas_fpga.errors import InputError

    parts = text.split(":")
    if len(parts) > 2 or not all(part.strip().isdecimal() for part in parts):
        raise InputError(f"--bits {text} is neither a range such as 2:8 nor a number such as 6")
    return int(parts[0]), int(parts[-1])


def _study_folder(runs: Path, study: str | None, storage: str | None, data: str, budget: int, *, resume: bool) -> Path:
    """Return the folder of the study that is meant."""
    if study is not None or resume:
        return options.existing_study(runs, study, stored_elsewhere=storage is not None)
    name = f"{Path(data).stem}-{budget}"
    number = 1
    while (runs / (folder := f"{name}-{number}")).exists():
        number += 1
    return runs / folder

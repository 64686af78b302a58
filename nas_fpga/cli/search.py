"""`nas-fpga search`: the main job."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nas_fpga.cli import _options as options

_DATA, _SPACE, _SEARCH, _TRAINING = "Data", "Space", "Search", "Training"


class Backend(StrEnum):
    """Keras backends."""

    jax = "jax"
    tensorflow = "tensorflow"


class Goal(StrEnum):
    """What the sampler is after."""

    front = "front"
    precision = "precision"


def search(
    ctx: typer.Context,
    data: Annotated[
        str,
        typer.Option(
            help="hgcal (electron/pion showers) or jets (gluon, quark, W, Z, top; neither the OpenML nor the CERNBox "
            "set), which come with the package; a file: npz, CSV, Parquet, ARFF, HDF5, ROOT (`nas-fpga data inspect "
            "FILE` shows what is in it); or a published set that you have: openml-jets:FILE, cernbox-jets:FILE, "
            "hgcal-beam-test:ELECTRONS,PIONS (without FILE it says where to download it).",
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
            help="Bits of weights and of activations: a range such as 2:8 to search, one number such as 6, or learned: "
            "training then finds those of every weight and activation, and one training gives several networks.",
            rich_help_panel=_SPACE,
        ),
    ] = "2:8",
    min_params: Annotated[int | None, typer.Option(help="Fewest parameters.", rich_help_panel=_SPACE)] = None,
    max_params: Annotated[int | None, typer.Option(help="Most parameters.", rich_help_panel=_SPACE)] = None,
    include: Annotated[
        str | None,
        typer.Option(
            help="Topologies to train first, such as 64-32-32,32-16 or '64-32-32 w4a6'; their training settings are "
            "the fixed ones.",
            rich_help_panel=_SPACE,
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(help="How many candidates are trained.  [default: 100]", rich_help_panel=_SEARCH),
    ] = None,
    sampler: Annotated[
        str,
        typer.Option(
            help="Who proposes: gp (Gaussian process), ambs (random forest), bayesian-optimization (the library of "
            "that name), tpe (Optuna's Parzen estimators), optuna-gp (Optuna's Gaussian process, with PyTorch), nsga2 "
            "(Optuna's genetic algorithm), cmaes (evolution strategy), regularized-evolution (moves of young ones), "
            "local-search (moves of the best), random (no method), sobol (Sobol's sequence), latin-hypercube (a "
            "hundred points each), grid (see --grid).",
            rich_help_panel=_SEARCH,
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
    goal: Annotated[
        Goal,
        typer.Option(
            help="What the sampler is after: front (precision against resources) or precision (within the limits).",
            rich_help_panel=_SEARCH,
        ),
    ] = Goal.front,
    acquisition: Annotated[
        str | None,
        typer.Option(
            help="Acquisition function: of bayesian-optimization ucb, ei or poi.  [default: the sampler's own]",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
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
    verbose: Annotated[
        bool,
        typer.Option("--verbose", help="Also say which candidates are trained together.", rich_help_panel=_SEARCH),
    ] = False,
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
        int,
        typer.Option(
            help="Epochs without a better validation loss before a stop (not of learned bits).",
            rich_help_panel=_TRAINING,
        ),
    ] = 10,
    batch_size: Annotated[
        int, typer.Option(help="Largest batch; small data sets get smaller ones.", rich_help_panel=_TRAINING)
    ] = 1024,
    learning_rate: Annotated[float, typer.Option(help="At the start.", rich_help_panel=_TRAINING)] = 5e-3,
    learning_rate_decay: Annotated[
        float,
        typer.Option(
            help="Share of the learning rate left at the end, by half a cosine; 1 keeps it.", rich_help_panel=_TRAINING
        ),
    ] = 0.02,
    beta_1: Annotated[float, typer.Option(help="Adam's decay of mean gradients.", rich_help_panel=_TRAINING)] = 0.9,
    beta_2: Annotated[float, typer.Option(help="Adam's decay of their squares.", rich_help_panel=_TRAINING)] = 0.999,
    epsilon: Annotated[float, typer.Option(help="Adam's least divisor.", rich_help_panel=_TRAINING)] = 1e-7,
    weight_decay: Annotated[
        float, typer.Option(help="Decoupled weight decay, as in AdamW.", rich_help_panel=_TRAINING)
    ] = 0.0,
    dropout: Annotated[
        float, typer.Option(help="Share of hidden activations dropped in training.", rich_help_panel=_TRAINING)
    ] = 0.0,
    pressure: Annotated[
        float | None,
        typer.Option(
            help="On --bits learned: loss for each effective bit operation at the end of a training.  [default: "
            "searched from 1e-6 to 1e-3]",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    bits_learning_rate: Annotated[
        float, typer.Option(help="Of --bits learned, in bits.", rich_help_panel=_TRAINING)
    ] = 1e-2,
    search_training: Annotated[
        str | None,
        typer.Option(
            metavar="PRESET,NAME=LOW:HIGH,...",
            help="Settings to search beside the topology, --epochs to --bits-learning-rate: a preset, ranges such as "
            "learning-rate=1e-4:1e-1,batch-size=256:4096, or both (a range, or an option that fixes the setting, "
            "replaces the preset's). Presets: default; with the ranges of L. Hennig, 'Automatic hyperparameter "
            "optimization for Graph Neural Networks' (KM3NeT/ORCA): orca, orca-first; of C. Ouyang and D. McBride, "
            "'Neural Network Hyperparameter Optimization': lcm-cifar10, lcm-mnist (learning curve matching), magmadnn "
            "(population based training).",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    polish: Annotated[
        float,
        typer.Option(
            help="Train the best of the front on with learned bits, in this share of the epochs before; 0: not.",
            rich_help_panel=_TRAINING,
        ),
    ] = 0.5,
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
    beside: options.Beside = None,
    fill: options.Fill = "80%",
    objective: options.ObjectiveOption = options.Objective.share,
    rank_stage: options.RankStageOption = options.RankStage.place_and_route,
    calibration: options.CalibrationOption = None,
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
    prove: options.Prove = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Search networks for a data set under a budget of hidden neurons, and print their Pareto front.

    Trains and quantizes every candidate, costs it on the FPGA, and leaves runs/NAME with the study, the checkpoints,
    front.csv and report.html. Ctrl-C saves; --resume continues.
    """
    del debug, beside, fill  # read from the command line by main and from the context
    values = {name: options.plain(ctx.params[name]) for name in options.given(ctx) - _NOT_OF_THE_SEARCH}
    values |= options.hardware(ctx)

    from nas_fpga._progress import make_reporter
    from nas_fpga.cli._output import print_outcome
    from nas_fpga.cli._proof import print_proofs, proven
    from nas_fpga.report import write_report
    from nas_fpga.study import SearchInterruptedError, SearchRun, existing_study, new_study

    reporter = make_reporter()
    if study is not None or resume:
        folder = existing_study(Path(runs), study, stored_elsewhere=storage is not None)
    else:
        folder = new_study(Path(runs), data, budget)
    run = SearchRun.prepare(folder, values, storage_url=storage, resume=resume)
    try:
        with reporter.live():
            outcome = run.execute(n_workers=workers, reporter=reporter, verbose=verbose)
    except SearchInterruptedError as error:
        raise SearchInterruptedError(f"{error}. Continue with: {_resume_command(folder, storage)}") from None
    print_outcome(outcome, as_json=json, proofs=proven(outcome) if prove and json else ())
    write_report(outcome, outcome.folder / "report.html")
    if not json:
        typer.echo(f"Report: {outcome.folder / 'report.html'}")
        if prove:
            print_proofs(proven(outcome))


_NOT_OF_THE_SEARCH = {
    "workers",
    "verbose",
    "study",
    "runs",
    "storage",
    "resume",
    "prove",
    "json",
    "debug",
    "beside",
    "fill",
}


def _resume_command(folder: Path, storage: str | None) -> str:
    """Return the command that continues the study from the same folder."""
    words = ["nas-fpga", "search", "--study", folder.name, "--resume"]
    if folder.parent != Path("runs"):
        words += ["--runs", str(folder.parent)]
    if storage is not None:
        words += ["--storage", storage]
    return shlex.join(words)

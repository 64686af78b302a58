"""The options of a search, which `search`, `compare` and `sweep` share: each stands here once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Annotated, Any

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


def _declared(
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
    min_layers: Annotated[int, typer.Option(help="Fewest hidden layers.", rich_help_panel=_SPACE)] = 1,
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
            "hundred points each), grid (see --grid), or MODULE:CLASS, your own.",
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
            help="Acquisition function: of gp ehvi, or for --goal precision log-ei, ucb, pi, thompson or mes; of "
            "bayesian-optimization ucb, ei or poi.  [default: the sampler's own]",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
    generation: Annotated[
        int,
        typer.Option(
            help="Candidates proposed together; at most twice as many train at once.", rich_help_panel=_SEARCH
        ),
    ] = 4,
    trial_patience: Annotated[
        int | None,
        typer.Option(
            help="End early when so many trials in a row gain nothing: less than .1 % of the hypervolume (for --goal "
            "precision, of the error).  [default: go on until --trials]",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.", rich_help_panel=_SEARCH)] = 0,
    split_seed: Annotated[
        int | None,
        typer.Option(
            help="Of the split into training, validation and test rows.  [default: that of --seed]",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(
            help="Ended studies of the same folder and rows whose trials are known before the first, such as "
            "small-1,small-2; nothing of theirs is trained again.",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
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
) -> None:
    """Declare the options; never called."""


NOT_OF_THE_DEFINITION = frozenset({"workers", "verbose", "beside", "fill"})
"""Those of the options above that say nothing of what is searched, or are read with others."""


def takes_search_options(*, without: Collection[str] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command, which takes ``**search``, the options of a search in that place.

    Args:
        without: Options that the command does not have, or has of its own.
    """
    shared = [p for name, p in inspect.signature(_declared, eval_str=True).parameters.items() if name not in without]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True)
        before = [p for p in own.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        after = [p for p in own.parameters.values() if p.kind is p.KEYWORD_ONLY]
        whole = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in [*before, *shared, *after]]
        command.__signature__ = own.replace(parameters=whole)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in whole}
        return command

    return decorate


def search_values(ctx: typer.Context, without: Collection[str] = ()) -> dict[str, Any]:
    """Return the options of a search that stand on the command line, those of the hardware among them.

    Args:
        ctx: Of the command.
        without: Options of the command that are no options of a search.
    """
    declared = inspect.signature(_declared).parameters.keys() - NOT_OF_THE_DEFINITION - set(without)
    values = {name: options.plain(ctx.params[name]) for name in options.given(ctx) & declared}
    return values | options.hardware(ctx)

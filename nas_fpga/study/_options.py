"""What a search may be told: one set of names for the command line and for Python, and how they make a definition."""

from __future__ import annotations

import difflib
import numbers
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from types import NoneType
from typing import Any, Literal, TypedDict, get_args, get_origin, get_type_hints

from nas_fpga.data.variants import variant_of, with_absolute_files
from nas_fpga.errors import InputError
from nas_fpga.hardware import Calibration, as_calibration
from nas_fpga.samplers import Goal
from nas_fpga.space import SETTING_SCALES, TrainingSpace
from nas_fpga.study._definition import DATA_SETS, Backend, DataSource, HardwareTarget, SearchDefinition
from nas_fpga.study._training_options import ranges_named, read_search_training

DEFAULT_TRIALS = 100
QUICK: Mapping[str, int] = {"trials": 24, "epochs": 12, "patience": 4}


class HardwareOptions(TypedDict, total=False):
    """Part, clock, rate and limits, by the names of the command line; see :class:`SearchOptions`."""

    part: str
    clock_ns: float
    rate_mhz: float
    region: str
    max_luts: float | None
    max_ffs: float | None
    max_dsps: float | None
    max_brams: float | None
    max_latency_ns: float
    objective: str
    rank_stage: str
    calibration: str | Path | Calibration | None


class SearchOptions(HardwareOptions, total=False):
    """Everything that a search may be told beside its data, with defaults as on the command line.

    Attributes:
        target: Column of the class, for files and tables.
        group: Column whose equal rows stay together.
        weight: Column of row weights.
        signal: Which of two classes is the signal; the last where it is left out.
        features: Feature set of ``hgcal``, ``ce-e`` or ``ce-e+ce-h``. Default: ce-e.
        pileup: Pile-up collisions of ``hgcal``. Default: 200.
        tables: Folder of tables of ``hgcal``; those of the package where it is left out.
        budget: Most hidden neurons over all layers. Default: 2000.
        min_layers: Fewest hidden layers. Default: 1.
        max_layers: Most hidden layers. Default: 15.
        max_width: Most neurons of one layer.
        bits: Of weights and of activations: ``"2:8"``, ``(2, 8)`` or ``6``; or ``"learned"``, when training finds those
            of every weight and activation. Default: 2:8.
        min_params: Fewest parameters.
        max_params: Most parameters.
        include: Topologies to train first: ``"64-32-32,32-16"`` or a list of such.
        trials: How many candidates are trained. Default: 100.
        sampler: ``gp``, ``ambs``, ``bayesian-optimization``, ``tpe``, ``optuna-gp``, ``nsga2``, ``cmaes``,
            ``regularized-evolution``, ``local-search``, ``random``, ``sobol``, ``latin-hypercube`` or ``grid``; or
            your own, a :class:`nas_fpga.Sampler` as ``MODULE:CLASS``. Default: gp.
        grid: Widths by layer of the grid sampler; 294 points of three layers where it is left out.
        goal: ``front``, the best trade of precision against resources, or ``precision`` within the limits.
            Default: front.
        acquisition: Acquisition function; of ``gp`` ``ehvi``, or for precision ``log-ei``, ``ucb``, ``pi``,
            ``thompson`` or ``mes``; of ``bayesian-optimization`` ``ucb``, ``ei`` or ``poi``; the sampler's own where it
            is left out.
        generation: Candidates proposed together. Default: 4.
        trial_patience: Trials in a row that gain nothing (less than .1 % of the hypervolume; for ``precision``, of the
            error) after which the search ends early; to go on until the last where it is left out.
        seed: Of everything random. Default: 0.
        split_seed: Of the split into training, validation and test rows; the seed where it is left out.
        after: Ended studies in the same folder whose trials are known before the first, such as ``"small-1,small-2"``,
            or a list.
        quick: 24 trials of 12 epochs where nothing else is said; what is resumed keeps its own. Default: False.
        backend: Keras backend, ``jax`` or ``tensorflow``; without it that of ``KERAS_BACKEND``, else ``jax``; what is
            resumed keeps its own.
        epochs: Most epochs of a training. Default: 50.
        patience: Epochs without a better validation loss before a stop. Default: 10.
        batch_size: Largest batch. Default: 1024.
        learning_rate: At the start. Default: 0.005.
        learning_rate_decay: Share of it that is left at the end, by half a cosine; 1 keeps it. Default: 0.02.
        beta_1: Of Adam. Default: 0.9.
        beta_2: Of Adam. Default: 0.999.
        epsilon: Of Adam. Default: 1e-07.
        weight_decay: Decoupled, as in AdamW. Default: 0.0.
        dropout: Share of hidden activations that is dropped in training. Default: 0.0.
        pressure: On learned bits: loss for each effective bit operation at the end of a training; searched from 1e-6 to
            1e-3 where it is left out.
        bits_learning_rate: Of learned bits, in bits. Default: 0.01.
        search_training: Settings above, from ``epochs``, to search beside the topology: a preset of
            :data:`nas_fpga.space.TRAINING_PRESETS`, ranges, or both, such as ``"orca,dropout=0:0.2"``; or ranges by
            name, ``{"learning_rate": (1e-4, 1e-1)}``. What is included is trained with the fixed settings.
        polish: Epochs in which the best of the front are trained on with learned bits, as a share of the epochs
            trained before; 0 for none. Default: 0.5.
        input_bits: Bits of every feature as it enters the design. Default: 10.
        signal_efficiency: At the working point. Default: 0.95.
        part: FPGA part. Default: xcvu13p-flga2577-2-e.
        clock_ns: Clock period. Default: 5.0.
        rate_mhz: Inferences per microsecond to sustain; designs are replicated for it. Default: 40.0.
        region: What the design may fill: ``slr`` (one super logic region), ``part``, a share such as ``5%``,
            or ``unlimited``, where nothing is refused. Default: slr.
        max_luts: Most LUTs, all copies; the region's where it is left out, as for the three below.
        max_ffs: Most flip-flops.
        max_dsps: Most DSPs; 0 for none.
        max_brams: Most BRAM18 blocks; 0 for none.
        max_latency_ns: Longest latency. Default: 1000.0.
        objective: Resource axis: ``share``, the largest share of the limits, or that of ``lut``, ``ff``, ``dsp``,
            ``bram`` or ``latency``. Default: share.
        rank_stage: Stage of the tools at which designs are compared: ``place-and-route``, ``vendor-synthesis``,
            ``csynth``, ``logic-synthesis`` or ``adder-graph``. Default: place-and-route.
        calibration: File of ``nas-fpga calibrate``; ratios between stages in place of those that are shipped.
    """

    target: str | int
    group: str | int
    weight: str | int
    signal: str | int
    features: str
    pileup: int
    tables: str | Path
    budget: int
    min_layers: int
    max_layers: int
    max_width: int | None
    bits: str | int | tuple[int, int]
    min_params: int | None
    max_params: int | None
    include: str | Sequence[str]
    trials: int
    sampler: str
    grid: str
    goal: Goal
    acquisition: str | None
    generation: int
    trial_patience: int | None
    seed: int
    split_seed: int | None
    after: str | Sequence[str]
    quick: bool
    backend: Backend
    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    learning_rate_decay: float
    beta_1: float
    beta_2: float
    epsilon: float
    weight_decay: float
    dropout: float
    pressure: float | None
    bits_learning_rate: float
    search_training: str | Mapping[str, tuple[float, float]] | TrainingSpace | None
    polish: float
    input_bits: int
    signal_efficiency: float


def with_implied(options: Mapping[str, Any], *, resume: bool = False) -> dict[str, Any]:
    """Return the options with what ``quick`` and the environment add to them; ``trials``, if given, is an integer.

    Args:
        options: As given.
        resume: Whether they continue what is there: that has its own settings, and nothing is added.

    Raises:
        InputError: ``quick`` is no yes or no, or ``trials`` no integer.
    """
    options = dict(options)
    quick = options.pop("quick", False)
    if not isinstance(quick, bool):
        raise InputError(f"--quick {quick!r} must be True or False")
    if (trials := options.pop("trials", None)) is not None:
        options["trials"] = _typed("trials", trials, int)
    if resume:
        return options
    if "backend" not in options and (backend := os.environ.get("KERAS_BACKEND")):
        options["backend"] = backend
    searched = ranges_named(options.get("search_training"))
    return {name: value for name, value in QUICK.items() if quick and name not in searched} | options


def apply_options(definition: SearchDefinition, options: Mapping[str, Any]) -> SearchDefinition:
    """Return the definition with what the user said.

    Args:
        definition: The defaults, or what a study was started with.
        options: By the names of :class:`SearchOptions`, and ``data``: the name of a data set or file.

    Raises:
        InputError: A value is of the wrong type or form.
    """
    changes = _values(SearchDefinition, options)
    budget = changes.get("budget", definition.budget)
    if "budget" in changes and "max_layers" not in options and 1 <= budget < definition.max_layers:
        changes["max_layers"] = budget  # the default depth asks for more neurons than there are
    if "bits" in options:
        changes |= _read_bits(options["bits"])
    for name, such_as in _LISTS.items():
        if name in options:
            changes[name] = _read_list(name, options[name], such_as)
    after: tuple[str, ...] = changes.get("after", ())
    if twice := [name for i, name in enumerate(after) if name in after[:i]]:
        raise InputError(f"--after {twice[0]} is given twice")
    fixed = [name for name in SETTING_SCALES if options.get(name) is not None]
    changes["search_training"] = (
        read_search_training(options["search_training"], fixed)
        if "search_training" in options
        else definition.search_training.without(fixed)
    )
    data = _values(DataSource, options)
    if "data" in options:
        data["name"] = absolute_name(options["data"])
    if data.get("tables") is not None:
        data["tables"] = _absolute(data["tables"])
    hardware = replace(definition.hardware, **hardware_values(options))
    return replace(definition, data=replace(definition.data, **data), hardware=hardware, **changes)


_LISTS = {"include": "topologies such as 64-32-32,32-16", "after": "names of studies such as small-1,small-2"}


def _read_list(name: str, given: Any, such_as: str) -> tuple[str, ...]:
    """Return the texts of a list, or of text with commas."""
    texts = given.split(",") if isinstance(given, str) else given
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise InputError(f"--{name} {given!r} must be {such_as}")
    return tuple(text.strip() for text in texts)


def hardware_values(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of :class:`HardwareTarget` as options give them.

    Raises:
        InputError: A value is of the wrong type, or the calibration is none.
    """
    given = {"calibration": as_calibration(options["calibration"])} if "calibration" in options else {}
    return _values(HardwareTarget, options) | given


def absolute_name(data: str) -> str:
    """Return the absolute path of a data file, so that a study finds it from any folder; names of data sets as is."""
    if data.lower() in DATA_SETS:
        return data
    return with_absolute_files(data) if variant_of(data) else _absolute(data)


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())


def refuse_unknown(function: str, names: Iterable[str], known: Sequence[str]) -> None:
    """Refuse keywords that a function does not know.

    Raises:
        TypeError: There is one; names it and the nearest.
    """
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}"
            raise TypeError(f"{function}() has no keyword '{name}'; {meant}")


_SET_APART = (
    "data",
    "hardware",
    "calibration",
    "weight_bits",
    "activation_bits",
    "learned_bits",
    "include",
    "after",
    "search_training",
    "name",
    "fingerprint",
)


def _values(kind: type, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are fields of a dataclass, each of the type of its field."""
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind) if field.name in options and field.name not in _SET_APART]
    return {name: _typed(name, options[name], hints[name]) for name in names}


def _typed(name: str, value: Any, hint: Any) -> Any:
    """Return a plain value of the type hinted: numpy's numbers become Python's, paths text, integers where asked so."""
    kinds = [hint] if get_origin(hint) is Literal else get_args(hint) or [hint]
    kinds = [str if get_origin(kind) is Literal else kind for kind in kinds]
    if value is None and NoneType in kinds:
        return None
    if int in kinds and isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    if float in kinds and isinstance(value, numbers.Real) and not isinstance(value, bool):
        return float(value)
    if str in kinds and isinstance(value, (str, Path)):
        return str(value)
    what = "an integer" if int in kinds else "a number" if float in kinds else "text"
    raise InputError(f"--{name.replace('_', '-')} {value!r} must be {what}")


def _read_bits(given: Any) -> dict[str, Any]:
    """Return the fields of :class:`SearchDefinition` for ``2:8``, ``(2, 8)``, ``6`` or ``learned``.

    Raises:
        InputError: The value is none of them.
    """
    if given == "learned":
        return {"learned_bits": True}
    parts = given.split(":") if isinstance(given, str) else given if isinstance(given, (tuple, list)) else [given]
    texts = [str(part).strip() for part in parts]
    if len(texts) not in (1, 2) or not all(text.isdecimal() for text in texts):
        raise InputError(f"--bits {given} is neither a range such as 2:8, nor a number such as 6, nor learned")
    ends = int(texts[0]), int(texts[-1])
    return {"weight_bits": ends, "activation_bits": ends, "learned_bits": False}

"""What defines a search. A resumed search must agree in every field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

from nas_fpga.errors import InputError
from nas_fpga.hardware import UNLIMITED, Calibration
from nas_fpga.samplers import SAMPLERS, Goal
from nas_fpga.space import TrainingSettings, TrainingSpace
from nas_fpga.study._json import to_json

Backend = Literal["jax", "tensorflow"]

DATA_SETS = ("hgcal", "jets")
"""Names of the data sets that come with the package."""
MAX_LAYERS = 64  # far beyond what pays, and the range that a study's depths are stored in
PRESSURES = (1e-6, 1e-3)
"""Range in which the pressure on learned bits is searched."""
_LIMITS = ("max_luts", "max_ffs", "max_dsps", "max_brams", "max_latency_ns")
DATASET_FILE = "dataset.npz"  # in the study's folder: rows that came from Python rather than from a file


@dataclass(frozen=True)
class DataSource:
    """Which data, and how they are read.

    Attributes:
        name: One of :data:`DATA_SETS`, the absolute path of a file, `NAME:FILE` of a published data set
            (:data:`nas_fpga.data.variants.VARIANTS`), or :data:`DATASET_FILE`, which lies in the study's folder; what
            it holds is checked by the fingerprint.
        target: Column of the labels; only for files, like the two below.
        group: Column of the groups.
        weight: Column of the weights.
        signal: Which class is the signal; of several, against all others. Only for files and jets.
        features: Feature set of ``hgcal``.
        pileup: Pile-up collisions of ``hgcal``.
        tables: Folder of tables of ``hgcal`` that were derived anew, absolute too; None for those in the package.
        fingerprint: SHA-256 of the rows as read.
    """

    name: str = "hgcal"
    target: str | None = None
    group: str | None = None
    weight: str | None = None
    signal: str | None = None
    features: str = "ce-e"
    pileup: int = 200
    tables: str | None = None
    fingerprint: str = ""


@dataclass(frozen=True)
class HardwareTarget:
    """Part, clock, rate and limits, as asked. None is the region's; of the calibration, the shipped ratios.

    The calibration is here with its content, so that a study needs no other file.
    """

    part: str = "xcvu13p-flga2577-2-e"
    clock_ns: float = 5.0
    rate_mhz: float = 40.0
    region: str = "slr"
    max_luts: float | None = None
    max_ffs: float | None = None
    max_dsps: float | None = None
    max_brams: float | None = None
    max_latency_ns: float = 1000.0
    objective: str = "share"
    rank_stage: str = "place-and-route"
    calibration: Calibration | None = None

    def with_values(self, given: Mapping[str, Any]) -> HardwareTarget:
        """Return the target with what is given in place of its own.

        Where that is the region in which nothing is refused, limits of its own do not stay.
        """
        unlimited = str(given.get("region")).strip().lower() == UNLIMITED
        no_limits = {name: getattr(HardwareTarget, name) for name in _LIMITS} if unlimited else {}
        return replace(self, **{**no_limits, **given})


@dataclass(frozen=True)
class SearchDefinition:
    """Everything that a search's results depend on, but for how many trials and workers it has.

    Attributes:
        data: The data set.
        budget: Most hidden neurons over all layers.
        min_layers: Fewest hidden layers.
        max_layers: Most hidden layers.
        max_width: Most neurons of a layer, or None.
        weight_bits: Fewest and most bits of a weight.
        activation_bits: Fewest and most bits of an activation.
        learned_bits: Whether training finds the bits of every weight and activation; then both ranges above are unused.
        min_params: Fewest parameters, or None.
        max_params: Most parameters, or None.
        include: Topologies that are trained first, as text.
        sampler: Name of the sampler, or ``MODULE:CLASS``.
        grid: The grid of the grid sampler, as text; None for the reference grid.
        goal: What the sampler is after.
        acquisition: Acquisition function of the sampler, None for its own default.
        generation: Candidates proposed together.
        trial_patience: Trials that gain nothing after which no more are proposed; None to go on.
        seed: Of everything random.
        split_seed: Of the split into training, validation and test rows; None for the seed.
        after: Names of ended studies in the same folder whose trials are known before the first of this one.
        epochs: Most epochs of a training.
        patience: Epochs without a better validation loss after which a training stops.
        batch_size: Largest batch.
        learning_rate: At the start.
        learning_rate_decay: Share of it that is left at the end.
        beta_1: Of Adam, like the two below.
        beta_2: See there.
        epsilon: See there.
        weight_decay: Decoupled.
        dropout: Share of hidden activations.
        pressure: On learned bits, at the end of a training; None where it is searched.
        bits_learning_rate: Of learned bits.
        search_training: Which of these settings, from epochs, are searched beside the topology.
        polish: Epochs in which the best of the front are trained on with learned bits, as a share of all epochs before.
        input_bits: Bits of the input format.
        signal_efficiency: At the working point.
        backend: Keras backend of the training.
        hardware: Part, clock, rate and limits.
    """

    data: DataSource = DataSource()
    budget: int = 2000
    min_layers: int = 1
    max_layers: int = 15
    max_width: int | None = None
    weight_bits: tuple[int, int] = (2, 8)
    activation_bits: tuple[int, int] = (2, 8)
    learned_bits: bool = False
    min_params: int | None = None
    max_params: int | None = None
    include: tuple[str, ...] = ()
    sampler: str = "gp"
    grid: str | None = None
    goal: Goal = "front"
    acquisition: str | None = None
    generation: int = 4
    trial_patience: int | None = None
    seed: int = 0
    split_seed: int | None = None
    after: tuple[str, ...] = ()
    epochs: int = 50
    patience: int = 10
    batch_size: int = 1024
    learning_rate: float = 5e-3
    learning_rate_decay: float = 0.02
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    weight_decay: float = 0.0
    dropout: float = 0.0
    pressure: float | None = None
    bits_learning_rate: float = 1e-2
    search_training: TrainingSpace = field(default=TrainingSpace())
    polish: float = 0.5
    input_bits: int = 10
    signal_efficiency: float = 0.95
    backend: Backend = "jax"
    hardware: HardwareTarget = HardwareTarget()

    def __post_init__(self) -> None:
        """Refuse values that no room further on would refuse by name."""
        if self.generation < 1:
            raise InputError(f"--generation {self.generation} must be at least 1")
        for name in ("seed", "split_seed"):
            if (value := getattr(self, name)) is not None and value < 0:
                raise InputError(f"--{name.replace('_', '-')} {value} must not be negative")
        if self.max_layers > MAX_LAYERS:
            raise InputError(f"--max-layers {self.max_layers} must be at most {MAX_LAYERS}")
        if not 0 < self.signal_efficiency < 1:
            raise InputError(f"--signal-efficiency {self.signal_efficiency} must lie between 0 and 1, such as 0.95")
        if not 0 <= self.polish <= 1:
            raise InputError(f"--polish {self.polish} must lie between 0 (none) and 1, such as 0.5")
        _ = self.settings
        self._refuse_by_kind_of_bits()
        for name in ("min_params", "max_params", "trial_patience"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise InputError(f"--{name.replace('_', '-')} {value} must be at least 1")
        for name, known in (("backend", get_args(Backend)), ("goal", get_args(Goal))):
            if getattr(self, name) not in known:
                raise InputError(
                    f"{name} '{getattr(self, name)}' is none of {', '.join(known)}; give one with --{name}"
                )
        if self.sampler in SAMPLERS:
            SAMPLERS[self.sampler].refuse_unknown(self.acquisition)
        if self.grid is not None and self.sampler != "grid":
            raise InputError(f"--grid {self.grid} is for --sampler grid, not {self.sampler}; give both or neither")

    def _refuse_by_kind_of_bits(self) -> None:
        """Refuse what only learned bits, or only fixed ones, can do."""
        searched = self.search_training.names
        if self.learned_bits:
            if self.backend != "jax":
                raise InputError(f"--bits learned trains on JAX, not {self.backend}; give --backend jax")
            if self.dropout > 0 or "dropout" in searched:
                given = "--search-training dropout" if "dropout" in searched else f"--dropout {self.dropout}"
                raise InputError(f"{given} is for fixed bits; give --dropout 0 with --bits learned")
            return
        for name in ("pressure", "bits_learning_rate"):
            option = name.replace("_", "-")
            if name in searched or getattr(self, name) != getattr(type(self), name):
                given = f"--search-training {option}" if name in searched else f"--{option} {getattr(self, name)}"
                raise InputError(f"{given} is for learned bits; leave it out or give --bits learned")

    @property
    def seed_of_split(self) -> int:
        """Seed of the split into training, validation and test rows."""
        return self.seed if self.split_seed is None else self.split_seed

    @property
    def settings(self) -> TrainingSettings:
        """How every candidate is trained, but for what is searched."""
        given = {of.name: getattr(self, of.name) for of in fields(TrainingSettings)}
        return TrainingSettings(**{name: value for name, value in given.items() if value is not None})

    @property
    def searched(self) -> TrainingSpace:
        """What is searched beside the topology: what was asked for, and the pressure on learned bits if it is free."""
        free = self.learned_bits and self.pressure is None and "pressure" not in self.search_training.names
        return replace(self.search_training, pressure=PRESSURES) if free else self.search_training

    def differences(self, other: SearchDefinition) -> list[str]:
        """Return one text for every value that differs, `name ours (now theirs)`; files may have moved."""
        ours, theirs = _flat(_named(self)), _flat(_named(other))
        return [
            f"{name} {ours[name]} (now {theirs[name]})"
            for name in ours
            if ours[name] != theirs[name] and name not in ("data.name", "data.tables")
        ]


def _named(definition: SearchDefinition) -> dict[str, Any]:
    """Return a definition as JSON values, with the calibration by name."""
    values: dict[str, Any] = to_json(definition)
    if definition.hardware.calibration is not None:
        values["hardware"]["calibration"] = str(definition.hardware.calibration)
    return values


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat

"""Makes the rooms of a search from its definition."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import (
    SUBSETS,
    Dataset,
    InputFormat,
    Split,
    Subset,
    against_rest,
    file_and_object,
    fit_input_format,
    load_dataset,
    load_hgcal,
    load_jets,
    read_dataset,
    split,
)
from nas_fpga.data.variants import HGCAL_BEAM_TEST, load_variant, variant_of
from nas_fpga.errors import InputError
from nas_fpga.hardware import Estimator, PreTrainingCost, StaticEstimator, Target, make_target
from nas_fpga.samplers import Sampler, SamplerOptions, find_sampler
from nas_fpga.space import BitWidths, Candidate, LearnedBits, MLPSpace, TrainingSettings, parse_candidate
from nas_fpga.study._definition import DATA_SETS, DATASET_FILE, DataSource, SearchDefinition
from nas_fpga.training import ExpectedTime, GroupBootstrap, Merits, Trainer, evaluate

_BOOTSTRAP = 2  # place in the seed of the resamples, away from those of trials and samplers


def load_data(source: DataSource, folder: Path | None = None, *, drop_constant: bool = True) -> Dataset:
    """Read the data set that a source names.

    Args:
        source: What to read.
        folder: Of the study, which may hold the rows itself.
        drop_constant: Whether columns of a file that never vary are left out.

    Raises:
        InputError: A file without a target column, or what the readers refuse.
    """
    variant = variant_of(source.name)
    known_name = variant.name if variant else source.name if source.name in DATA_SETS else None
    of_two_particles = known_name in ("hgcal", HGCAL_BEAM_TEST.name)
    for_files = ("target", "group", "weight", "signal") if of_two_particles else ("target", "group", "weight")
    if known_name is not None and (given := [f"--{n}" for n in for_files if getattr(source, n) is not None]):
        raise InputError(
            f"{given[0]} is for files; the data set {known_name} has its own, leave it out or give --data FILE"
        )
    if source.name == "hgcal":
        tables = Path(source.tables) if source.tables is not None else None
        return load_hgcal(pileup=source.pileup, features=source.features, tables=tables)
    if folder is not None and source.name == DATASET_FILE:
        return load_dataset(folder / DATASET_FILE)
    for_hgcal = [
        f"--{n} {getattr(source, n)}" for n in ("features", "pileup", "tables") if _differs_from_default(source, n)
    ]
    if for_hgcal:
        what = known_name or "a file"
        raise InputError(f"{for_hgcal[0]} is for --data hgcal; {what} has its own columns, leave it out")
    if known_name is not None:
        dataset = load_variant(source.name) if variant else load_jets()
        return dataset if source.signal is None else against_rest(dataset, source.signal)
    if source.target is None:
        if not file_and_object(source.name)[0].exists():
            known = ", ".join(DATA_SETS)
            raise InputError(
                f"--data '{source.name}' is none of {known} and no file; give {known} or the path of a file"
            )
        raise InputError(
            f"--data {source.name} needs --target COLUMN: the column that holds the class; "
            f"nas-fpga data inspect {source.name} suggests one"
        )
    columns = {"group": source.group, "weight": source.weight, "signal": source.signal}
    return read_dataset(source.name, source.target, **columns, drop_constant=drop_constant)


def _differs_from_default(source: DataSource, name: str) -> bool:
    return bool(getattr(source, name) != getattr(DataSource(), name))


def make_hardware_target(definition: SearchDefinition) -> Target:
    """Return part, clock, rate and limits of a definition."""
    h = definition.hardware
    return make_target(
        part=h.part,
        clock_ns=h.clock_ns,
        rate_mhz=h.rate_mhz,
        region=h.region,
        max_luts=h.max_luts,
        max_ffs=h.max_ffs,
        max_dsps=h.max_dsps,
        max_brams=h.max_brams,
        max_latency_ns=h.max_latency_ns,
        objective=h.objective,
        rank_stage=h.rank_stage,
        calibration=h.calibration,
    )


@dataclass(frozen=True, eq=False)
class LocalTrainerFactory:
    """Makes the trainer of the Keras backend in use, in a worker process."""

    dataset: Dataset
    split: Split
    input_format: InputFormat

    def __call__(self) -> Trainer:
        """Return the trainer; imports Keras."""
        import keras

        if keras.backend.backend() == "jax":
            from nas_fpga.training._jax_trainer import JaxTrainer

            return JaxTrainer(self.dataset, self.split, self.input_format)
        from nas_fpga.training._keras_trainer import KerasTrainer

        return KerasTrainer(self.dataset, self.split, self.input_format)


@dataclass(frozen=True, eq=False)
class Setup:
    """The rooms of one search, each made when first asked for.

    Attributes:
        definition: What they are made from.
        dataset: As :func:`load_data` read it.
        estimator: Says what trained networks cost.
    """

    definition: SearchDefinition
    dataset: Dataset
    estimator: Estimator = field(default_factory=StaticEstimator)

    @cached_property
    def split(self) -> Split:
        """Training, validation and test rows."""
        return split(self.dataset, self.definition.seed_of_split)

    @cached_property
    def input_format(self) -> InputFormat:
        """Fitted on training rows."""
        return fit_input_format(self.dataset.features[self.split.train], self.definition.input_bits)

    @cached_property
    def target(self) -> Target:
        """Part, clock, rate and limits."""
        return make_hardware_target(self.definition)

    @cached_property
    def space(self) -> MLPSpace:
        """All candidates under the budget that the limits do not refuse before training."""
        d = self.definition
        n_inputs, n_outputs = self.dataset.features.shape[1], self.dataset.n_outputs
        return MLPSpace(
            n_inputs,
            n_outputs,
            d.budget,
            max_layers=d.max_layers,
            max_width=d.max_width,
            weight_bits=d.weight_bits,
            activation_bits=d.activation_bits,
            min_params=d.min_params,
            max_params=d.max_params,
            settings=self.settings,
            prior_cost=PreTrainingCost(n_inputs, n_outputs, d.input_bits, self.target),
            prior_time=ExpectedTime(n_inputs, n_outputs, len(self.split.train)),
            training=d.searched,
            learned_bits=d.learned_bits,
            min_layers=d.min_layers,
            unlimited=self.target.unlimited,
        )

    @property
    def settings(self) -> TrainingSettings:
        """Training settings of all candidates, but for what is searched."""
        return self.definition.settings

    @cached_property
    def included(self) -> tuple[Candidate, ...]:
        """Candidates that the user asked for; settings that are searched have their fixed values in these.

        Raises:
            InputError: One is no topology, is outside the space or is given twice.
        """
        ranges = self.space.weight_bits, self.space.activation_bits
        default = (
            LearnedBits() if self.space.learned_bits else BitWidths(*(min(high, max(low, 6)) for low, high in ranges))
        )
        candidates = tuple(parse_candidate(text, default, self.settings) for text in self.definition.include)
        for i, candidate in enumerate(candidates):
            if candidate in candidates[:i]:
                raise InputError(f"--include {candidate} is given twice")
            if isinstance(candidate.bits, LearnedBits) != self.space.learned_bits:
                wanted = "learned" if self.space.learned_bits else "fixed"
                raise InputError(f"--include {candidate} is in a search of {wanted} bits; leave out its bits")
            if not self.space.has_architecture_of(candidate):
                raise InputError(
                    f"--include {candidate} is outside the space: over --budget {self.definition.budget}, the depth, "
                    "width, bits or parameters asked for, or over the limits of the part whatever the mapping"
                )
        return candidates

    @cached_property
    def sampler(self) -> Sampler[Candidate]:
        """The sampler asked for.

        Raises:
            InputError: There is none of that name.
        """
        d = self.definition
        options = SamplerOptions(grid=d.grid, goal=d.goal, acquisition=d.acquisition, generation=d.generation)
        return find_sampler(d.sampler)(self.space, d.seed, options)

    @property
    def merit_name(self) -> str:
        """The figure of merit in words, as the field says it: `pion efficiency at 95 % electron`, or `error rate`."""
        if self.dataset.n_classes > 2:
            return "error rate"
        background, signal = self.dataset.class_names
        return f"{background} efficiency at {100 * self.definition.signal_efficiency:g} % {signal}"

    @property
    def resource_name(self) -> str:
        """The resource axis in words."""
        return f"{'largest ' * (self.target.objective == 'share')}share of {self.limits_name}"

    @property
    def limits_name(self) -> str:
        """What the resource axis is a share of, in words."""
        objective, unlimited = self.target.objective, self.target.unlimited
        if objective == "share":
            return "the part" if unlimited else "the limits"
        if objective == "latency":
            return f"{self.target.limits.latency_ns:,.0f} ns" if unlimited else "the limit of latency"
        return f"the part's {objective.upper()}" if unlimited else f"the limit of {objective.upper()}"

    def evaluate(self, logits: NDArray[np.float64], subset: Subset, validation: Merits | None = None) -> Merits:
        """Return the figures of merit of a network's logits on a subset.

        Args:
            logits: `(rows of the subset, n_outputs)`.
            subset: Which one.
            validation: Merits on validation, whose working points are applied.
        """
        rows = self.split[subset]
        return evaluate(
            self.dataset,
            rows,
            logits,
            bins={name: mask[rows] for name, mask in self.dataset.bins.items()},
            signal_efficiency=self.definition.signal_efficiency,
            validation=validation,
        )

    def bootstrap(self, subset: Subset) -> GroupBootstrap:
        """Return the resamples of a subset that all its figures share."""
        return GroupBootstrap.of(
            self.dataset,
            self.split[subset],
            seed=[self.definition.seed, _BOOTSTRAP, SUBSETS.index(subset)],
            signal_efficiency=self.definition.signal_efficiency,
        )

    def refuse_few_groups(self) -> None:
        """Refuse rows that no interval can be given on, which would be known only once all is trained.

        Raises:
            InputError: Validation or test rows have too few groups to be resampled, be it of one class.
        """
        for subset in ("validation", "test"):
            if constant := self.bootstrap(subset).constant_classes:
                name = self.dataset.class_names[constant[0]]
                raise InputError(f"class '{name}' has too few groups in {subset} to be resampled; give more groups")

    @property
    def trainer_factory(self) -> LocalTrainerFactory:
        """What workers make their trainer with."""
        return LocalTrainerFactory(self.dataset, self.split, self.input_format)

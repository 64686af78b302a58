"""Trains candidates whose bits are learned: each gives the networks of its own front of precision and cost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import Dataset, InputFormat, Split
from nas_fpga.errors import InputError
from nas_fpga.space import LearnedBits
from nas_fpga.training._adam import AdamSettings, AdamState, corrections
from nas_fpga.training._base import LearningCurve, TrainingFailure, TrainingJob, TrainingResult
from nas_fpga.training._bucket import Bucket
from nas_fpga.training._member import DivergedError
from nas_fpga.training._network import QuantizedNetwork
from nas_fpga.training._program import DeviceRows
from nas_fpga.training._rows import Rows
from nas_fpga.training._schedule import learning_rate
from nas_fpga.training._slots import Slot, SlotTrainer
from nas_fpga.training.learned_bits._freeze import freeze, input_grid, thaw
from nas_fpga.training.learned_bits._front import Front
from nas_fpga.training.learned_bits._program import Epoch, Parameters, Program, Rates, State
from nas_fpga.training.learned_bits._start import initial_parameters

NETWORKS = 8  # of one member at most

_SAMPLE_ROWS = 2048
_FIRST_PRESSURE = 1e-2  # of the last one; in between it grows by the same factor every epoch


@dataclass
class _Slot(Slot):
    """A member in its place, with what is known of it."""

    state: State
    shapes: tuple[tuple[int, int], ...]
    bucket: Bucket
    input_format: InputFormat
    n_rows: int
    orders: np.random.Generator
    train_losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    front: Front[QuantizedNetwork] = field(default_factory=Front)

    def begin_epoch(self) -> Epoch:
        """Return what the coming epoch is given for this member."""
        settings, epoch = self.job.candidate.settings, len(self.train_losses)
        pressure = settings.pressure * _FIRST_PRESSURE ** (1 - (epoch + 1) / settings.epochs)
        rate, layout = np.float32(learning_rate(settings, epoch)), self.bucket.layout
        n_weights, n_kernels = layout.n_weights + layout.n_biases, layout.n_weights
        rates = np.full(len(self.state.parameters), settings.bits_learning_rate, np.float32)
        rates[:n_weights] = rate
        rates[2 * n_weights :][layout.units[0]] = 0  # integer bits of inputs: the ends of their format stay
        decays = np.zeros_like(rates)
        decays[:n_kernels] = rate * settings.weight_decay
        corrected = corrections(settings, epoch, self.n_rows // self.bucket.batch_size)
        return Epoch(
            Rates(rates, decays, corrected, np.float32(pressure), AdamSettings.of(settings)),
            self.orders.permutation(self.n_rows).astype(np.int32),
        )

    def end_epoch(self, train_loss: float, validation_loss: float) -> TrainingResult | None:
        """See :meth:`Slot.end_epoch`."""
        if not (np.isfinite(train_loss) and np.isfinite(validation_loss)):
            raise DivergedError(f"the training loss became {train_loss} in epoch {len(self.train_losses) + 1}")
        if not np.isfinite(self.state.parameters).all():
            raise DivergedError(f"a weight or a bit width became no number in epoch {len(self.train_losses) + 1}")
        candidate = self.job.candidate
        parameters = Parameters.of(self.bucket.layout, self.state.parameters)
        network = freeze(candidate, self.input_format, self.shapes, self.bucket.layout, parameters).pruned()
        if network.layers[-1].weights.any():  # else it is a constant
            self.front.add(validation_loss, network.ebops, network)
        self.train_losses.append(train_loss)
        self.validation_losses.append(validation_loss)
        if len(self.train_losses) < candidate.settings.epochs:
            return None
        if not self.front.kept:
            raise DivergedError(
                f"no weight was left after any epoch; the pressure {candidate.settings.pressure:.3g} is too high"
            )
        best_epoch = int(np.argmin(self.validation_losses))
        curve = LearningCurve(tuple(self.train_losses), tuple(self.validation_losses), best_epoch)
        networks = tuple(kept.what for kept in self.front.thinned(NETWORKS))
        return TrainingResult(self.job, networks, curve, time.perf_counter() - self.started)


class LearnedBitsTrainer(SlotTrainer):
    """Trains with learned bits under a growing pressure, and keeps the networks that no other checkpoint dominates.

    After every epoch the member is frozen to integers and pruned; it is kept if no earlier one has both a smaller loss
    on the validation rows and fewer effective bit operations. A job with a start goes on from its weights and bits.

    Every epoch is trained, whatever the patience: as the pressure grows nearly every checkpoint is cheaper than those
    before it. Of 45 trainings of 50 epochs on the showers none went more than three epochs without one to keep, and the
    last was kept within three epochs of the end.

    The pressure is on EBOPs. LUTs follow .44 (EBOPs + 9 a weight that is not 0) far better (5 % off da4ml's cost of 16
    networks, 30 % for EBOPs alone), but fronts trained under that were no better: the difference of the hypervolumes of
    three topologies with three seeds was .00 +- .06, of 3.84.

    Args:
        dataset: Rows and weights. Classes are balanced in the loss.
        split: Training rows are trained on, validation rows judge; test rows are not touched.
        input_format: Networks get at most its bits of each feature.
        slots: Members trained side by side; None for 1 on a CPU and 16 on a GPU.
    """

    def __init__(self, dataset: Dataset, split: Split, input_format: InputFormat, slots: int | None = None) -> None:
        """See the class."""
        self.dataset, self.input_format = dataset, input_format
        train, validation = (self._rows(rows) for rows in (split.train, split.validation))
        super().__init__(train.inputs.shape[1], dataset.n_outputs, len(train), slots)
        self._means = train.inputs.mean(axis=0)
        self._sample = train.inputs[:: max(len(train) // _SAMPLE_ROWS, 1)]
        self._grid = input_grid(input_format)
        self._train, self._validation = DeviceRows.of(train), DeviceRows.in_blocks(validation)

    def _rows(self, rows: NDArray[np.int64]) -> Rows:
        # Not rounded: the networks round, to bits of their own. A power of two is exact.
        scaled = np.ldexp(self.dataset.features[rows], -self.input_format.scale_log2.astype(np.int32))
        return Rows.of(self.dataset, rows, scaled)

    def train(self, jobs: Sequence[TrainingJob]) -> Iterator[TrainingResult | TrainingFailure]:
        """See :meth:`Trainer.train`.

        Raises:
            InputError: A candidate has fixed bits, or dropout.
        """
        for job in jobs:
            if not isinstance(job.candidate.bits, LearnedBits):
                raise InputError(f"{job.candidate} has fixed bits; train it with the trainer of fixed bits")
            if job.candidate.settings.dropout > 0:
                raise InputError(
                    f"dropout {job.candidate.settings.dropout} cannot be trained with learned bits; leave it out"
                )
        return super().train(jobs)

    def _make_program(self, bucket: Bucket) -> Program:
        return Program(bucket, self.slots, self._grid, self._train, self._validation)

    def _enter(self, job: TrainingJob, bucket: Bucket) -> Slot:
        started, layout, n_rows = time.perf_counter(), bucket.layout, len(self._train.labels)
        shapes = job.trained.layer_shapes(bucket.widths[0], bucket.widths[-1])
        initial, orders = (np.random.default_rng(seed) for seed in np.random.SeedSequence(job.seed).spawn(2))
        parameters = (
            thaw(job.start, self.input_format, layout)
            if job.start is not None
            else initial_parameters(shapes, layout, self.input_format, self._sample, self._means, initial)
        )
        vector = np.concatenate(parameters)
        state = State(vector, AdamState(np.zeros_like(vector), np.zeros_like(vector)))
        return _Slot(job, started, state, shapes, bucket, self.input_format, n_rows, orders)

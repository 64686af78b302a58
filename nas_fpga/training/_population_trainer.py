"""Trains many candidates of fixed bits with few compilations: the trainer of the JAX backend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas_fpga.data import Dataset, InputFormat, Split
from nas_fpga.training._adam import AdamSettings, AdamState, corrections
from nas_fpga.training._base import TrainingJob, TrainingResult
from nas_fpga.training._bucket import Bucket
from nas_fpga.training._layout import Layout
from nas_fpga.training._member import Member
from nas_fpga.training._model import quantizers
from nas_fpga.training._program import DeviceRows, Epoch, Program, State
from nas_fpga.training._rows import Rows
from nas_fpga.training._slots import Slot, SlotTrainer


@dataclass
class _Slot(Slot):
    """A member in its place, with its rows of the program's arrays."""

    state: State
    member: Member
    layout: Layout
    batch_size: int
    n_epochs: int = 0

    @classmethod
    def of(cls, member: Member, bucket: Bucket) -> _Slot:
        """Return a member before its first epoch."""
        layout = bucket.layout
        parameters = layout.pack(member.parameters)
        zeros = tuple(np.zeros_like(vector) for vector in parameters)
        state = State(parameters, AdamState(zeros, zeros))
        return cls(member.job, member.started, state, member, layout, bucket.batch_size)

    def begin_epoch(self) -> Epoch:
        """Return what the coming epoch is given for this member."""
        steps, order = self.member.begin_epoch()
        settings = self.member.settings
        rate = np.float32(self.member.learning_rate)
        return Epoch(
            quantizers(self.layout, self.job.candidate.uniform_bits, steps),
            order,
            rate * corrections(settings, self.n_epochs, len(order) // self.batch_size),
            rate * np.float32(settings.weight_decay),
            AdamSettings.of(settings),
            np.float32(settings.dropout),
            np.random.SeedSequence([self.job.seed, self.n_epochs]).generate_state(2),
        )

    def end_epoch(self, train_loss: float, validation_loss: float) -> TrainingResult | None:
        """See :meth:`Slot.end_epoch`."""
        self.n_epochs += 1
        kernels, biases = self.state.parameters
        parameters = self.layout.unpack(kernels, biases, self.member.shapes)
        ended = self.member.end_epoch(parameters, train_loss, validation_loss)
        return self.member.result() if ended else None


class PopulationTrainer(SlotTrainer):
    """Quantization-aware training of candidates side by side, see :class:`SlotTrainer`.

    Every epoch ends with the loss of the *quantized* network on validation rows; the integers of the best epoch are the
    result.

    Args:
        dataset: Rows and weights. Classes are balanced in the loss.
        split: Training rows are trained on, validation rows stop the training; test rows are not touched.
        input_format: In front of every network.
        slots: Members trained side by side; None for 1 on a CPU and 16 on a GPU.
    """

    def __init__(self, dataset: Dataset, split: Split, input_format: InputFormat, slots: int | None = None) -> None:
        """See the class."""
        self.input_format, self.n_outputs = input_format, dataset.n_outputs
        self._rows, validation = (
            Rows.of(dataset, rows, input_format.apply(dataset.features[rows]))
            for rows in (split.train, split.validation)
        )
        super().__init__(self._rows.inputs.shape[1], self.n_outputs, len(self._rows), slots)
        self._train, self._validation = DeviceRows.of(self._rows), DeviceRows.in_blocks(validation)

    def _make_program(self, bucket: Bucket) -> Program:
        return Program(bucket, self.slots, self._train, self._validation)

    def _enter(self, job: TrainingJob, bucket: Bucket) -> Slot:
        return _Slot.of(Member(job, self._rows, self.input_format, self.n_outputs), bucket)

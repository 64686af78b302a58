"""Members side by side in the slots of a compiled program: what the trainers of fixed and of learned bits share."""

from __future__ import annotations

import abc
import operator
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import jax
import numpy as np
from numpy.typing import NDArray

from nas_fpga.training._base import Trainer, TrainingFailure, TrainingJob, TrainingResult
from nas_fpga.training._bucket import Bucket, bucket_of
from nas_fpga.training._member import DivergedError, failure
from nas_fpga.training._programs import Programs

_SLOTS_OF_GPU = 16
_TOO_LARGE = (MemoryError, jax.errors.JaxRuntimeError)

_T = TypeVar("_T")


@dataclass
class Slot(abc.ABC):
    """A member in its place.

    Attributes:
        job: What is trained.
        started: When, by `time.perf_counter`.
        state: Its rows of what an epoch changes.
    """

    job: TrainingJob
    started: float
    state: Any

    @abc.abstractmethod
    def begin_epoch(self) -> Any:
        """Return what the coming epoch is given for this member."""

    @abc.abstractmethod
    def end_epoch(self, train_loss: float, validation_loss: float) -> TrainingResult | None:
        """Note an epoch, whose outcome :attr:`state` is by now; return the result if it was the last one.

        Raises:
            DivergedError: A loss is no number.
        """


class SlotProgram(Protocol):
    """Trains the members in its slots for one epoch."""

    def run(self, state: Any, epoch: Any) -> tuple[Any, NDArray[np.float32], NDArray[np.float32]]:
        """Return the states after the epoch, and the losses in training and on validation of each, `(slots,)`.

        Args:
            state: Of all slots, a tree of arrays with an axis of slots in front. Used up.
            epoch: What :meth:`Slot.begin_epoch` gave for each, in the same form.
        """


class SlotTrainer(Trainer):
    """Trains candidates side by side in one compiled program for each bucket of shapes.

    A member that stops frees its slot for the next candidate. A member's result is the same, bit for bit, whatever its
    neighbours, slot and place in the queue, as long as the number of slots is the same.

    On a CPU there is one slot a process: several do not train faster there (measured on two cores at 1, 2, 4 and 8
    members, 8 to 64 neurons wide), and processes do.

    Args:
        n_inputs: Features.
        n_outputs: Outputs of the networks.
        n_rows: Training rows.
        slots: Members trained side by side; None for 1 on a CPU and 16 on a GPU.
    """

    def __init__(self, n_inputs: int, n_outputs: int, n_rows: int, slots: int | None) -> None:
        """See the class."""
        self.slots = slots or (1 if jax.default_backend() == "cpu" else _SLOTS_OF_GPU)
        self._task = (n_inputs, n_outputs, n_rows)
        self._programs = Programs(self._make_program)

    @abc.abstractmethod
    def _make_program(self, bucket: Bucket) -> SlotProgram:
        """Return a program, which is compiled when it first runs."""

    @abc.abstractmethod
    def _enter(self, job: TrainingJob, bucket: Bucket) -> Slot:
        """Return a member before its first epoch."""

    def train(self, jobs: Sequence[TrainingJob]) -> Iterator[TrainingResult | TrainingFailure]:
        """See :meth:`Trainer.train`."""
        buckets: dict[Bucket, deque[TrainingJob]] = {}
        for job in jobs:
            buckets.setdefault(bucket_of(job.trained, *self._task), deque()).append(job)
        for bucket, waiting in buckets.items():
            started = time.perf_counter()
            try:
                program = self._programs[bucket]
            except _TOO_LARGE as error:
                yield from (failure(job, error, started) for job in waiting)
            else:
                yield from self._train_bucket(program, bucket, waiting)

    def _train_bucket(
        self, program: SlotProgram, bucket: Bucket, waiting: deque[TrainingJob]
    ) -> Iterator[TrainingResult | TrainingFailure]:
        slots: dict[int, Slot] = {}
        while waiting or slots:
            for place in range(self.slots):
                if waiting and place not in slots:
                    job, started = waiting.popleft(), time.perf_counter()
                    try:
                        slots[place] = self._enter(job, bucket)
                    except _TOO_LARGE as error:
                        yield failure(job, error, started)
            if slots:
                yield from self._epoch(program, slots)

    def _epoch(self, program: SlotProgram, slots: dict[int, Slot]) -> Iterator[TrainingResult | TrainingFailure]:
        """Train the members in the slots for one epoch; yield the results of those that ended, and free their slots."""
        # What an empty slot computes is nobody's: it gets a copy of a filled one.
        places = [place if place in slots else min(slots) for place in range(self.slots)]
        try:
            epochs = {place: slot.begin_epoch() for place, slot in slots.items()}
            states = _stack([slots[place].state for place in places])
            states, train_losses, validation_losses = program.run(states, _stack([epochs[place] for place in places]))
        except _TOO_LARGE as error:  # together; others may fit
            for place in sorted(slots):
                slot = slots.pop(place)
                yield failure(slot.job, error, slot.started)
            return
        states = jax.tree.map(np.asarray, states)
        for place, slot in sorted(slots.items()):
            slot.state = jax.tree.map(operator.itemgetter(place), states)
            try:
                result = slot.end_epoch(float(train_losses[place]), float(validation_losses[place]))
            except DivergedError as error:
                del slots[place]
                yield failure(slot.job, error, slot.started)
                continue
            if result is not None:
                del slots[place]
                yield result


def _stack(values: Sequence[_T]) -> _T:
    """Return the values of several members as one with a members axis in front."""
    return jax.tree.map(lambda *rows: np.stack(rows), *values)  # type: ignore[no-any-return]

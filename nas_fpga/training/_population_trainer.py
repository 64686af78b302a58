"""Trains many candidates with few compilations: the trainer of the JAX backend."""

from __future__ import annotations

import contextlib
import gc
import operator
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import jax
import numpy as np
from filelock import FileLock

from nas_fpga.data import Dataset, InputFormat, Split
from nas_fpga.training._adam import AdamSettings, AdamState
from nas_fpga.training._base import Trainer, TrainingFailure, TrainingJob, TrainingResult
from nas_fpga.training._bucket import Bucket, bucket_of
from nas_fpga.training._layout import Layout
from nas_fpga.training._member import DivergedError, Member, failure
from nas_fpga.training._model import quantizers
from nas_fpga.training._program import DeviceRows, Epoch, Program, State
from nas_fpga.training._rows import Rows

_PROGRAMS = 16  # compiled programs in memory, some 5 MB each and more for wide networks
_CACHE_BYTES = 2**30  # of compiled programs on disk
_LOCK_S = 10.0  # the next process may mend what this one has no time for
_SLOTS_OF_GPU = 16
_TOO_LARGE = (MemoryError, jax.errors.JaxRuntimeError)

_T = TypeVar("_T")


@dataclass
class _Slot:
    """A member in its place, with its rows of the program's arrays."""

    member: Member
    state: State
    n_epochs: int = 0

    @classmethod
    def of(cls, member: Member, layout: Layout) -> _Slot:
        """Return a member before its first epoch."""
        parameters = layout.pack(member.parameters)
        zeros = tuple(np.zeros_like(vector) for vector in parameters)
        return cls(member, State(parameters, AdamState(zeros, zeros, np.zeros(1, np.float32))))

    def begin_epoch(self, layout: Layout) -> Epoch:
        """Return what the coming epoch is given for this member."""
        steps, order = self.member.begin_epoch()
        settings = self.member.settings
        return Epoch(
            quantizers(layout, self.member.job.candidate.uniform_bits, steps),
            order,
            np.float32(self.member.learning_rate),
            np.float32(settings.weight_decay),
            AdamSettings.of(settings),
            np.float32(settings.dropout),
            np.random.SeedSequence([self.member.job.seed, self.n_epochs]).generate_state(2),
        )

    def end_epoch(self, state: State, train_loss: float, validation_loss: float, layout: Layout) -> bool:
        """Take over what the epoch made of this member; return whether it was its last one."""
        self.state, self.n_epochs = state, self.n_epochs + 1
        kernels, biases = state.parameters
        parameters = layout.unpack(kernels, biases, self.member.shapes)
        return self.member.end_epoch(parameters, train_loss, validation_loss)


class PopulationTrainer(Trainer):
    """Quantization-aware training of candidates side by side, in one compiled program for each bucket of shapes.

    Every epoch ends with the loss of the *quantized* network on validation rows; the integers of the best epoch are the
    result. A member that stops frees its slot for the next candidate. A member's result is the same, bit for bit,
    whatever its neighbours, slot and place in the queue, as long as the number of slots is the same.

    On a CPU there is one slot a process: several do not train faster there (measured on two cores at 1, 2, 4 and 8
    members, 8 to 64 neurons wide), and processes do.

    Args:
        dataset: Rows and weights. Classes are balanced in the loss.
        split: Training rows are trained on, validation rows stop the training; test rows are not touched.
        input_format: In front of every network.
        slots: Members trained side by side; None for 1 on a CPU and 16 on a GPU.
    """

    def __init__(self, dataset: Dataset, split: Split, input_format: InputFormat, slots: int | None = None) -> None:
        """See the class."""
        _keep_compiled_programs()
        self.input_format, self.n_outputs = input_format, dataset.n_outputs
        self.slots = slots or (1 if jax.default_backend() == "cpu" else _SLOTS_OF_GPU)
        self._rows, validation = (
            Rows.of(dataset, rows, input_format.apply(dataset.features[rows]))
            for rows in (split.train, split.validation)
        )
        self._train, self._validation = DeviceRows.of(self._rows), DeviceRows.in_blocks(validation)
        self._programs: dict[Bucket, Program] = {}

    def bucket(self, job: TrainingJob) -> Bucket:
        """Return the shapes of the program that a job is trained in."""
        return bucket_of(job.candidate, self._rows.inputs.shape[1], self.n_outputs, len(self._rows))

    def train(self, jobs: Sequence[TrainingJob]) -> Iterator[TrainingResult | TrainingFailure]:
        """See :meth:`Trainer.train`."""
        buckets: dict[Bucket, deque[TrainingJob]] = {}
        for job in jobs:
            buckets.setdefault(self.bucket(job), deque()).append(job)
        for bucket, waiting in buckets.items():
            started = time.perf_counter()
            try:
                program = self._program(bucket)
            except _TOO_LARGE as error:
                yield from (failure(job, error, started) for job in waiting)
            else:
                yield from self._train_bucket(program, waiting)

    def _program(self, bucket: Bucket) -> Program:
        program = self._programs.get(bucket)
        if program is None:
            if len(self._programs) == _PROGRAMS:  # JAX gives back the memory of none before it has forgotten all
                self._programs.clear()
                gc.collect()
                jax.clear_caches()  # type: ignore[no-untyped-call]
            program = self._programs[bucket] = Program(bucket, self.slots, self._train, self._validation)
        return program

    def _train_bucket(
        self, program: Program, waiting: deque[TrainingJob]
    ) -> Iterator[TrainingResult | TrainingFailure]:
        slots: dict[int, _Slot] = {}
        while waiting or slots:
            for place in range(self.slots):
                if waiting and place not in slots:
                    job, started = waiting.popleft(), time.perf_counter()
                    try:
                        member = Member(job, self._rows, self.input_format, self.n_outputs)
                        slots[place] = _Slot.of(member, program.bucket.layout)
                    except _TOO_LARGE as error:
                        yield failure(job, error, started)
            if slots:
                yield from self._epoch(program, slots)

    def _epoch(self, program: Program, slots: dict[int, _Slot]) -> Iterator[TrainingResult | TrainingFailure]:
        """Train the members in the slots for one epoch; yield the results of those that ended, and free their slots."""
        layout = program.bucket.layout
        # What an empty slot computes is nobody's: it gets a copy of a filled one.
        places = [place if place in slots else min(slots) for place in range(self.slots)]
        try:
            epochs = {place: slot.begin_epoch(layout) for place, slot in slots.items()}
            states = _stack([slots[place].state for place in places])
            states, train_losses, validation_losses = program.run(states, _stack([epochs[place] for place in places]))
        except _TOO_LARGE as error:  # together; others may fit
            for place in sorted(slots):
                slot = slots.pop(place)
                yield failure(slot.member.job, error, slot.member.started)
            return
        states = jax.tree.map(np.asarray, states)
        for place, slot in sorted(slots.items()):
            state = jax.tree.map(operator.itemgetter(place), states)
            try:
                ended = slot.end_epoch(state, float(train_losses[place]), float(validation_losses[place]), layout)
            except DivergedError as error:
                del slots[place]
                yield failure(slot.member.job, error, slot.member.started)
                continue
            if ended:
                del slots[place]
                yield slot.member.result()


def _stack(values: Sequence[_T]) -> _T:
    """Return the values of several members as one with a members axis in front."""
    return jax.tree.map(lambda *rows: np.stack(rows), *values)  # type: ignore[no-any-return]


def _keep_compiled_programs() -> None:
    """Let JAX keep compiled programs for the next process, where the user has not chosen a place for them."""
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nas-fpga" / "programs"
    except RuntimeError:  # nobody's home: every process compiles for itself
        return
    _mend(folder)
    options = {
        "jax_compilation_cache_dir": str(folder),
        "jax_compilation_cache_max_size": _CACHE_BYTES,
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    for name, value in options.items():
        jax.config.update(name, value)  # type: ignore[no-untyped-call]


def _mend(folder: Path) -> None:
    """Remove programs that a killed process had half written: JAX writes nothing more beside one without its time."""
    with contextlib.suppress(OSError), FileLock(folder / ".lockfile", timeout=_LOCK_S):
        for program in folder.glob("*-cache"):
            if not program.with_name(program.name.removesuffix("-cache") + "-atime").exists():
                program.unlink()

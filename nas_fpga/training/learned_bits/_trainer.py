"""Trains candidates whose bits are learned: each gives the networks of its own front of precision and cost."""

from __future__ import annotations

import time
import traceback
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import Dataset, InputFormat, Split
from nas_fpga.errors import InputError
from nas_fpga.space import LearnedBits, TrainingSettings
from nas_fpga.training._adam import AdamSettings, AdamState
from nas_fpga.training._base import LearningCurve, Trainer, TrainingFailure, TrainingJob, TrainingResult
from nas_fpga.training._bucket import batch_size
from nas_fpga.training._network import QuantizedNetwork
from nas_fpga.training._program import DeviceRows
from nas_fpga.training._rows import Rows
from nas_fpga.training._schedule import learning_rate
from nas_fpga.training.learned_bits._freeze import ebops, freeze, input_grid, thaw
from nas_fpga.training.learned_bits._front import Front
from nas_fpga.training.learned_bits._layout import Layout
from nas_fpga.training.learned_bits._program import EpochProgram, Figures, MemberState, Parameters, Rates
from nas_fpga.training.learned_bits._start import initial_parameters

NETWORKS = 8  # of one member at most

_SAMPLE_ROWS = 2048
_FIRST_PRESSURE = 1e-2  # of the last one; in between it grows by the same factor every epoch


@dataclass(eq=False)
class _Member:
    """One job in training."""

    job: TrainingJob
    own: Layout
    orders: np.random.Generator
    began_s: float
    train_losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    front: Front[QuantizedNetwork] = field(default_factory=Front)

    @property
    def epoch(self) -> int:
        return len(self.train_losses)


class LearnedBitsTrainer(Trainer):
    """Trains with learned bits under a growing pressure, and keeps the networks that no other checkpoint dominates.

    After every epoch the member is frozen to integers and pruned; it is kept if no earlier one has both a smaller loss
    on the validation rows and fewer effective bit operations. A job with a start goes on from its weights and bits. A
    result is a function of the job and the number of slots alone.

    Args:
        dataset: Rows and weights. Classes are balanced in the loss.
        split: Training rows are trained on, validation rows judge; test rows are not touched.
        input_format: Networks get at most its bits of each feature.
        n_slots: Members side by side in one program: 1 on a CPU, where more gain nothing; many on a GPU.
    """

    def __init__(self, dataset: Dataset, split: Split, input_format: InputFormat, n_slots: int = 1) -> None:
        """See the class."""
        self.dataset, self.input_format, self.n_slots = dataset, input_format, n_slots
        self._grid = jax.device_put(input_grid(input_format))
        training, validation = (self._rows(rows) for rows in (split.train, split.validation))
        self._means = training.inputs.mean(axis=0)
        self._sampled = training.inputs[:: max(len(training) // _SAMPLE_ROWS, 1)]
        self._training, self._validation = DeviceRows.of(training), DeviceRows.of(validation)
        self._programs: dict[tuple[Layout, int], EpochProgram] = {}

    def _rows(self, rows: NDArray[np.int64]) -> Rows:
        # Not rounded: the networks round, to bits of their own. A power of two is exact.
        scaled = np.ldexp(self.dataset.features[rows], -self.input_format.scale_log2.astype(np.int32))
        return Rows.of(self.dataset, rows, scaled)

    def train(self, jobs: Sequence[TrainingJob]) -> Iterator[TrainingResult | TrainingFailure]:
        """See :meth:`Trainer.train`; jobs that share a program follow each other."""
        groups: dict[tuple[Layout, int], list[TrainingJob]] = defaultdict(list)
        for job in jobs:
            if not isinstance(job.candidate.bits, LearnedBits):
                raise InputError(f"{job.candidate} has fixed bits; train it with the trainer of fixed bits")
            settings = job.candidate.settings
            if settings.dropout > 0:
                raise InputError(f"dropout {settings.dropout} cannot be trained with learned bits; leave it out")
            size = batch_size(settings.batch_size, len(self._training.labels))
            groups[self._own_layout(job).padded(), size].append(job)
        for key, group in groups.items():
            if key not in self._programs:
                self._programs[key] = EpochProgram(key[0], self.n_slots, key[1])
            start, ended = time.perf_counter(), set()
            try:
                for outcome in self._train_group(self._programs[key], group):
                    ended.add(outcome.job.number)
                    yield outcome
            except jax.errors.JaxRuntimeError as error:  # out of memory, say: other programs may fit
                cause = " ".join(f"{type(error).__name__}: {error}".split())[:500]
                for job in group:
                    if job.number not in ended:
                        yield TrainingFailure(job, cause, time.perf_counter() - start, traceback.format_exc())

    def _train_group(
        self, program: EpochProgram, jobs: Sequence[TrainingJob]
    ) -> Iterator[TrainingResult | TrainingFailure]:
        """Train jobs of one program; a slot whose member ended takes the next job."""
        waiting = list(reversed(jobs))
        members: list[_Member | None] = [None] * program.n_slots
        states: MemberState | None = None  # of all slots
        while waiting or any(members):
            for i in range(program.n_slots):
                if members[i] is None and waiting:
                    members[i], state = self._begin(waiting.pop(), program.layout)
                    states = _placed(states, i, state, program.n_slots)
            rates = jax.tree.map(lambda *values: np.array(values, np.float32), *map(_rates, members))
            orders = np.stack([self._order(member) for member in members])
            states, figures = program.epoch(states, rates, orders, self._grid, self._training, self._validation)
            parameters, figures = jax.device_get((states.parameters, figures))
            for i, member in enumerate(members):
                if member is not None:
                    own, own_figures = jax.tree.map(lambda values, i=i: values[i], (parameters, figures))
                    ended = self._after_epoch(member, program.layout, own, own_figures)
                    if ended is not None:
                        members[i] = None
                        yield ended

    def _begin(self, job: TrainingJob, layout: Layout) -> tuple[_Member, MemberState]:
        """Return a job's member and its padded state before the first epoch."""
        initial, orders = (np.random.default_rng(seed) for seed in np.random.SeedSequence(job.seed).spawn(2))
        member = _Member(job, self._own_layout(job), orders, time.perf_counter())
        parameters = (
            thaw(job.start, self.input_format, layout)
            if job.start is not None
            else initial_parameters(member.own, layout, self.input_format, self._sampled, self._means, initial)
        )
        zeros = jax.tree.map(np.zeros_like, parameters)
        return member, MemberState(parameters, AdamState(zeros, zeros, np.float32(0)))

    def _after_epoch(
        self, member: _Member, layout: Layout, parameters: Parameters, figures: Figures
    ) -> TrainingResult | TrainingFailure | None:
        """Note an epoch of a member; return what became of it if that was its last."""
        job = member.job
        loss, validation_loss = float(figures.training_loss), float(figures.validation_loss)
        if not (np.isfinite(loss) and np.isfinite(validation_loss)):
            cause = f"DivergedError: the training loss became {loss} in epoch {member.epoch + 1}"
            return TrainingFailure(job, cause, time.perf_counter() - member.began_s)
        network = freeze(job.candidate, self.input_format, member.own, layout, parameters).pruned()
        member.front.add(validation_loss, ebops(network), network)
        member.train_losses.append(loss)
        member.validation_losses.append(validation_loss)
        if member.epoch < job.candidate.settings.epochs:
            return None
        curve = LearningCurve(
            tuple(member.train_losses), tuple(member.validation_losses), int(np.argmin(member.validation_losses))
        )
        networks = tuple(kept.what for kept in member.front.thinned(NETWORKS))
        return TrainingResult(job, networks, curve, time.perf_counter() - member.began_s)

    def _order(self, member: _Member | None) -> NDArray[np.int32]:
        n = len(self._training.labels)
        return (np.arange(n) if member is None else member.orders.permutation(n)).astype(np.int32)

    def _own_layout(self, job: TrainingJob) -> Layout:
        topology = job.candidate.topology if job.start is None else job.start.topology
        return Layout(self.dataset.features.shape[1], topology, self.dataset.n_outputs)


def _placed(states: MemberState | None, slot: int, new: MemberState, n_slots: int) -> MemberState:
    """Return the states of all slots with a new member in one of them; the first member fills all."""
    placed: MemberState = (
        jax.tree.map(lambda one: jnp.repeat(jnp.asarray(one)[None], n_slots, axis=0), new)
        if states is None
        else jax.tree.map(lambda slots, one: slots.at[slot].set(one), states, new)
    )
    return placed


def _rates(member: _Member | None) -> Rates:
    """Return the learning rates and the pressure of a member's next epoch; an empty slot learns nothing."""
    if member is None:
        return Rates(0.0, 0.0, 0.0, 0.0, AdamSettings.of(TrainingSettings()))
    settings, bits = member.job.candidate.settings, member.job.candidate.bits
    assert isinstance(bits, LearnedBits)  # others are refused
    rate = learning_rate(settings, member.epoch)
    pressure = bits.pressure * _FIRST_PRESSURE ** (1 - (member.epoch + 1) / settings.epochs)
    return Rates(rate, bits.learning_rate, pressure, settings.weight_decay, AdamSettings.of(settings))

"""The contract of all trainers, and what they return."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from nas_fpga.errors import InputError
from nas_fpga.space import Candidate, LearnedBits
from nas_fpga.training._network import QuantizedNetwork


@dataclass(frozen=True)
class TrainingJob:
    """One candidate to train, with its place in the search and its seed.

    Attributes:
        number: In the search.
        candidate: What is trained.
        seed: Of everything random.
        start: Trained network to go on from, with learned bits; its topology is the candidate's or what pruning left
            of it. None to start from random weights.
    """

    number: int
    candidate: Candidate
    seed: int
    start: QuantizedNetwork | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse a start that no trainer goes on from."""
        if self.start is not None and not isinstance(self.candidate.bits, LearnedBits):
            raise InputError(f"{self.candidate} has fixed bits and cannot go on from a network; give it learned bits")

    @property
    def trained(self) -> Candidate:
        """The candidate with the topology that is trained: that of the start, where there is one."""
        return self.candidate if self.start is None else replace(self.candidate, topology=self.start.topology)


@dataclass(frozen=True)
class LearningCurve:
    """Loss by epoch, of the quantized network. ``best_epoch`` counts from 0; its weights were kept."""

    train_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    best_epoch: int


@dataclass(frozen=True)
class TrainingResult:
    """A trained candidate: its quantized networks (one with fixed bits, several with learned ones) and its curve."""

    job: TrainingJob
    networks: tuple[QuantizedNetwork, ...]
    curve: LearningCurve
    duration_s: float


@dataclass(frozen=True)
class TrainingFailure:
    """A candidate that could not be trained, with the cause in one line. It never becomes a number."""

    job: TrainingJob
    cause: str
    duration_s: float
    details: str = field(default="", repr=False)


class Trainer(abc.ABC):
    """Trains candidates.

    :meth:`train` takes several candidates at once and yields one result for each, in any order, failures included; it
    raises only for what would fail every candidate. A result depends on the job alone, not on its neighbours.
    """

    @abc.abstractmethod
    def train(self, jobs: Sequence[TrainingJob]) -> Iterator[TrainingResult | TrainingFailure]:
        """Yield one result for every job, in any order."""

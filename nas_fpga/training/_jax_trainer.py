"""The trainer of the JAX backend: candidates with fixed and with learned bits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from nas_fpga.data import Dataset, InputFormat, Split
from nas_fpga.space import LearnedBits
from nas_fpga.training._base import Trainer, TrainingFailure, TrainingJob, TrainingResult
from nas_fpga.training._population_trainer import PopulationTrainer
from nas_fpga.training.learned_bits import LearnedBitsTrainer


class JaxTrainer(Trainer):
    """Hands every job to the trainer of its kind of bits, which is made when it is first needed.

    Args:
        dataset: Rows and weights. Classes are balanced in the loss.
        split: Training rows are trained on, validation rows judge; test rows are not touched.
        input_format: In front of every network; learned bits may be fewer.
    """

    def __init__(self, dataset: Dataset, split: Split, input_format: InputFormat) -> None:
        """See the class."""
        self._rows = dataset, split, input_format

    @cached_property
    def _fixed(self) -> PopulationTrainer:
        return PopulationTrainer(*self._rows)

    @cached_property
    def _learned(self) -> LearnedBitsTrainer:
        return LearnedBitsTrainer(*self._rows)

    def train(self, jobs: Sequence[TrainingJob]) -> Iterator[TrainingResult | TrainingFailure]:
        """See :meth:`Trainer.train`."""
        learned = [isinstance(job.candidate.bits, LearnedBits) for job in jobs]
        if not all(learned):
            yield from self._fixed.train([job for job, is_learned in zip(jobs, learned, strict=True) if not is_learned])
        if any(learned):
            yield from self._learned.train([job for job, is_learned in zip(jobs, learned, strict=True) if is_learned])

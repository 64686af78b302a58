"""One candidate in training, on the host: the same for every backend."""

from __future__ import annotations

import time
import traceback

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import InputFormat
from nas_fpga.training._base import LearningCurve, TrainingFailure, TrainingJob, TrainingResult
from nas_fpga.training._calibration import LayerSteps, calibrate, freeze
from nas_fpga.training._layout import Parameters
from nas_fpga.training._network import QuantizedNetwork
from nas_fpga.training._rows import Rows
from nas_fpga.training._schedule import learning_rate

_CALIBRATION_ROWS = 2048


class DivergedError(ArithmeticError):
    """The loss is no number any more."""


class Member:
    """Draws the initial parameters and the order of rows of a candidate, moves its steps, and stops it in time.

    Everything random follows from the job's seed: an order of rows also from the member's own epoch, and from nothing
    else.

    Args:
        job: What is trained.
        rows: To train on.
        input_format: In front of the network.
        n_outputs: Of the network.
    """

    def __init__(self, job: TrainingJob, rows: Rows, input_format: InputFormat, n_outputs: int) -> None:
        """See the class."""
        self.job, self._rows, self._input_format = job, rows, input_format
        self.settings = job.candidate.settings
        self.shapes = job.candidate.layer_shapes(rows.inputs.shape[1], n_outputs)
        initial, self._order = (np.random.default_rng(seed) for seed in np.random.SeedSequence(job.seed).spawn(2))
        self.parameters = self._initial_parameters(initial)
        chosen = initial.choice(len(rows), min(_CALIBRATION_ROWS, len(rows)), replace=False)
        self._sample = rows.inputs[chosen]
        self.steps: tuple[LayerSteps, ...] | None = None
        self._best: QuantizedNetwork | None = None
        self._train_losses: list[float] = []
        self._validation_losses: list[float] = []
        self.started = time.perf_counter()

    def _initial_parameters(self, rng: np.random.Generator) -> Parameters:
        """Return He-normal kernels; the first bias moves the features' means, which raw inputs keep, to zero."""
        parameters = []
        for i, (n_in, n_out) in enumerate(self.shapes):
            kernel = (rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)).astype(np.float32)
            bias = -self._rows.inputs.mean(axis=0) @ kernel if i == 0 else np.zeros(n_out, np.float32)
            parameters.append((kernel, bias.astype(np.float32)))
        return parameters

    def begin_epoch(self) -> tuple[tuple[LayerSteps, ...], NDArray[np.int32]]:
        """Return the steps of all layers for the coming epoch, and the order of its rows `(n,)`."""
        self.steps = calibrate(self.job.candidate, self._input_format, self.parameters, self._sample, self.steps)
        return self.steps, self._order.permutation(len(self._rows)).astype(np.int32)

    @property
    def learning_rate(self) -> float:
        """Of the coming epoch."""
        return learning_rate(self.settings, len(self._train_losses))

    def end_epoch(self, parameters: Parameters, train_loss: float, validation_loss: float) -> bool:
        """Note how an epoch ended; return whether it was the last one.

        Args:
            parameters: As they are now. They are copied.
            train_loss: Mean over the epoch.
            validation_loss: Of the quantized network, with the steps of this epoch.

        Raises:
            DivergedError: A loss is no number.
        """
        if not (np.isfinite(train_loss) and np.isfinite(validation_loss)):
            raise DivergedError(f"the training loss became {train_loss} in epoch {len(self._train_losses) + 1}")
        self.parameters = [(kernel.copy(), bias.copy()) for kernel, bias in parameters]
        self._train_losses.append(train_loss)
        self._validation_losses.append(validation_loss)
        epoch, best_epoch = len(self._train_losses) - 1, int(np.argmin(self._validation_losses))  # the first of equals
        if best_epoch == epoch:
            self._best = self.freeze(self.parameters)
        return epoch + 1 == self.settings.epochs or epoch - best_epoch >= self.settings.patience

    def freeze(self, parameters: Parameters) -> QuantizedNetwork:
        """Return the integers that parameters stand for, with the steps of this epoch."""
        assert self.steps is not None  # set by begin_epoch
        return freeze(self.job.candidate, self._input_format, parameters, self.steps)

    def result(self) -> TrainingResult:
        """Return the network of the best epoch."""
        assert self._best is not None  # end_epoch was called at least once
        best_epoch = int(np.argmin(self._validation_losses))
        curve = LearningCurve(tuple(self._train_losses), tuple(self._validation_losses), best_epoch)
        return TrainingResult(self.job, (self._best,), curve, time.perf_counter() - self.started)


def failure(job: TrainingJob, error: Exception, started: float) -> TrainingFailure:
    """Return what is recorded of a candidate that could not be trained: the cause in one line, the traceback below it.

    Args:
        job: What was trained.
        error: As caught.
        started: Of the training, by `time.perf_counter`.
    """
    text = str(error).strip()
    cause = f"{type(error).__name__}: {text.splitlines()[0] if text else ''}"
    details = "".join(traceback.format_exception(error))
    return TrainingFailure(job, cause[:500], time.perf_counter() - started, details)

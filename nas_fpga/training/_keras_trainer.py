"""Trains candidates one after the other with Keras 3."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import Dataset, InputFormat, Split
from nas_fpga.space import Candidate, TrainingSettings
from nas_fpga.training._base import LearningCurve, Trainer, TrainingFailure, TrainingJob, TrainingResult
from nas_fpga.training._calibration import calibrate, freeze
from nas_fpga.training._epochs import make_epochs, release
from nas_fpga.training._model import build_model
from nas_fpga.training._network import QuantizedNetwork

_CALIBRATION_ROWS = 2048
_STEPS_PER_EPOCH = 40  # small data sets get smaller batches, so that an epoch has at least about so many steps
_FINAL_LEARNING_RATE = 0.02  # of the first one, reached by half a cosine


class DivergedError(ArithmeticError):
    """The loss is no number any more."""


@dataclass(frozen=True, eq=False)
class _Rows:
    """One subset after the input format, with the weights of the loss (mean 1, classes balanced)."""

    inputs: NDArray[np.float32]
    labels: NDArray[np.int64]
    weights: NDArray[np.float32]


class KerasTrainer(Trainer):
    """Quantization-aware training with early stopping on the loss of the *quantized* network on validation rows.

    Every epoch ends with the network frozen to integers; its exact outputs give the validation loss, and the integers
    of the best epoch are the result. A result is a function of the job and the backend alone.

    Args:
        dataset: Rows and weights. Classes are balanced in the loss.
        split: Training rows are trained on, validation rows stop the training; test rows are not touched.
        input_format: In front of every network.
    """

    def __init__(self, dataset: Dataset, split: Split, input_format: InputFormat) -> None:
        """See the class."""
        self.dataset, self.input_format = dataset, input_format
        self._train, self._validation = (self._rows(rows) for rows in (split.train, split.validation))

    def _rows(self, rows: NDArray[np.int64]) -> _Rows:
        labels, weights = self.dataset.labels[rows], self.dataset.weights[rows].copy()
        totals = np.bincount(labels, weights, self.dataset.n_classes)
        weights *= (weights.sum() / self.dataset.n_classes / totals)[labels]
        inputs = self.input_format.apply(self.dataset.features[rows])
        return _Rows(inputs, labels, (weights / weights.mean()).astype(np.float32))

    def train(self, jobs: Sequence[TrainingJob]) -> Iterator[TrainingResult | TrainingFailure]:
        """See :meth:`Trainer.train`."""
        for job in jobs:
            start = time.perf_counter()
            try:
                network, curve = self._train_one(job)
            except Exception as error:  # one candidate's failure is a result; the search goes on
                cause = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
                yield TrainingFailure(job, cause[:500], time.perf_counter() - start, traceback.format_exc())
            else:
                yield TrainingResult(job, (network,), curve, time.perf_counter() - start)
            finally:
                release()

    def _train_one(self, job: TrainingJob) -> tuple[QuantizedNetwork, LearningCurve]:
        candidate, settings = job.candidate, job.candidate.settings
        initial, order = (np.random.default_rng(seed) for seed in np.random.SeedSequence(job.seed).spawn(2))
        rows = self._train
        model = build_model(candidate, rows.inputs.shape[1], self.dataset.n_outputs)
        layers = model.layers
        for layer, values in zip(layers, self._initial_parameters(candidate, initial), strict=True):
            layer.kernel.assign(values[0])
            layer.bias.assign(values[1])
        epochs = make_epochs(model, rows.inputs, rows.labels, rows.weights, self._batch_size(settings))

        def parameters() -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
            return [(np.asarray(layer.kernel), np.asarray(layer.bias)) for layer in layers]

        sample = rows.inputs[initial.choice(len(rows.inputs), min(_CALIBRATION_ROWS, len(rows.inputs)), replace=False)]
        steps = None
        best: QuantizedNetwork | None = None
        train_losses: list[float] = []
        validation_losses: list[float] = []
        for epoch in range(settings.epochs):
            steps = calibrate(candidate, self.input_format, parameters(), sample, steps)
            for layer, layer_steps in zip(layers, steps, strict=True):
                layer.assign_steps(layer_steps)
            loss = epochs.train(order.permutation(len(rows.inputs)), _learning_rate(settings, epoch))
            if not np.isfinite(loss):
                raise DivergedError(f"the training loss became {loss} in epoch {epoch + 1}")
            network = freeze(candidate, self.input_format, parameters(), steps)
            train_losses.append(loss)
            validation_losses.append(self._validation_loss(network))
            best_epoch = int(np.argmin(validation_losses))  # the first of equals
            if best_epoch == epoch:
                best = network
            if epoch - best_epoch >= settings.patience:
                break
        assert best is not None  # settings.epochs is at least 1
        curve = LearningCurve(tuple(train_losses), tuple(validation_losses), best_epoch)
        return best, curve

    def _batch_size(self, settings: TrainingSettings) -> int:
        n = len(self._train.labels)
        largest = max(16, 2 ** int(np.log2(max(n / _STEPS_PER_EPOCH, 1))))
        return int(min(settings.batch_size, largest, n))

    def _initial_parameters(
        self, candidate: Candidate, rng: np.random.Generator
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Yield He-normal kernels; the first bias moves the features' means, which raw inputs keep, to zero."""
        shapes = candidate.layer_shapes(self._train.inputs.shape[1], self.dataset.n_outputs)
        for i, (n_in, n_out) in enumerate(shapes):
            kernel = (rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)).astype(np.float32)
            bias = -self._train.inputs.mean(axis=0) @ kernel if i == 0 else np.zeros(n_out, np.float32)
            yield kernel, bias.astype(np.float32)

    def _validation_loss(self, network: QuantizedNetwork) -> float:
        rows = self._validation
        logits = network.logits_of_inputs(rows.inputs)
        if logits.shape[1] == 1:
            losses = np.logaddexp(0, logits[:, 0]) - logits[:, 0] * rows.labels
        else:
            losses = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(logits)), rows.labels]
        return float(np.mean(losses * rows.weights))


def _learning_rate(settings: TrainingSettings, epoch: int) -> float:
    """Return the learning rate of an epoch: half a cosine over all epochs."""
    phase = 0.5 * (1 + np.cos(np.pi * epoch / settings.epochs))
    return float(settings.learning_rate * (_FINAL_LEARNING_RATE + (1 - _FINAL_LEARNING_RATE) * phase))

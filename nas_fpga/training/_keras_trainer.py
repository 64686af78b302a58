"""Trains candidates one after the other with Keras' own `fit`: the trainer of the TensorFlow backend."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from nas_fpga.data import Dataset, InputFormat, Split
from nas_fpga.space import TrainingSettings
from nas_fpga.training._base import Trainer, TrainingFailure, TrainingJob, TrainingResult
from nas_fpga.training._bucket import batch_size
from nas_fpga.training._layout import Layout
from nas_fpga.training._member import Member, failure
from nas_fpga.training._model import PopulationMLP, mean_loss, quantizers
from nas_fpga.training._network import QuantizedNetwork
from nas_fpga.training._rows import Rows


class KerasTrainer(Trainer):
    """Quantization-aware training with early stopping on the loss of the *quantized* network on validation rows.

    The same contract, arithmetic, initial parameters and orders of rows as :class:`PopulationTrainer`, with a model and
    a compilation for every candidate.

    Args:
        dataset: Rows and weights. Classes are balanced in the loss.
        split: Training rows are trained on, validation rows stop the training; test rows are not touched.
        input_format: In front of every network.
    """

    def __init__(self, dataset: Dataset, split: Split, input_format: InputFormat) -> None:
        """See the class."""
        self.input_format, self.n_outputs = input_format, dataset.n_outputs
        self._train, self._validation = (
            Rows.of(dataset, rows, input_format.apply(dataset.features[rows]))
            for rows in (split.train, split.validation)
        )

    def train(self, jobs: Sequence[TrainingJob]) -> Iterator[TrainingResult | TrainingFailure]:
        """See :meth:`Trainer.train`."""
        for job in jobs:
            started = time.perf_counter()
            try:
                result = self._train_one(job)
            except Exception as error:  # one candidate's failure is a result; the search goes on
                yield failure(job, error, started)
            else:
                yield result
            finally:
                keras.backend.clear_session()

    def _train_one(self, job: TrainingJob) -> TrainingResult:
        rows, settings = self._train, job.candidate.settings
        member = Member(job, rows, self.input_format, self.n_outputs)
        layout = Layout((rows.inputs.shape[1], *job.candidate.topology, self.n_outputs))
        model = _Alone(layout, settings.dropout, job.seed)
        network = model.network
        for variable, values in zip(network.trainable_variables, layout.pack(member.parameters), strict=True):
            variable.assign(values[None])
        optimizer = _optimizer(settings)
        model.compile(optimizer, loss=_loss_of_packed_labels)
        size = batch_size(settings.batch_size, len(rows))
        n_used = len(rows) // size * size
        ended = False
        while not ended:
            steps, order = member.begin_epoch()
            frozen = quantizers(layout, job.candidate.uniform_bits, steps)
            for variable, values in zip(network.non_trainable_variables, frozen, strict=True):
                variable.assign(values[None])
            optimizer.learning_rate = member.learning_rate
            chosen = order[:n_used]
            packed = np.stack([rows.labels[chosen].astype(np.float32), rows.weights[chosen]], axis=1)
            history = model.fit(rows.inputs[chosen], packed, batch_size=size, shuffle=False, verbose=0)
            vectors = [np.asarray(variable)[0] for variable in network.trainable_variables]
            parameters = layout.unpack(vectors[0], vectors[1], member.shapes)
            loss = float(history.history["loss"][0])
            validation_loss = self._validation_loss(member.freeze(parameters)) if np.isfinite(loss) else np.nan
            ended = member.end_epoch(parameters, loss, validation_loss)
        return member.result()

    def _validation_loss(self, network: QuantizedNetwork) -> float:
        rows = self._validation
        logits = network.logits_of_inputs(rows.inputs).astype(np.float32)
        return float(keras.ops.convert_to_numpy(mean_loss(logits, rows.labels, rows.weights)))


class _Alone(keras.Model):  # type: ignore[misc]
    """One network, with dropout between its layers in training."""

    def __init__(self, layout: Layout, dropout: float, seed: int) -> None:
        super().__init__(name="alone")  # TensorFlow takes no underscore in front
        self.network = PopulationMLP(layout)
        self.network.build((None, layout.widths[0]))
        self._dropout = dropout
        self._seeds = keras.random.SeedGenerator(seed)

    def call(self, x: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        return self.network(x, keep=self._keep if training and self._dropout > 0 else None)

    def _keep(self, _layer: int, shape: tuple[int, ...]) -> keras.KerasTensor:
        draws = keras.random.uniform(shape, seed=self._seeds)
        return keras.ops.cast(draws >= self._dropout, "float32") / (1 - self._dropout)


def _optimizer(settings: TrainingSettings) -> keras.optimizers.Optimizer:
    """Return Adam; weight decay is on kernels alone."""
    optimizer = keras.optimizers.AdamW(
        settings.learning_rate, settings.weight_decay, settings.beta_1, settings.beta_2, settings.epsilon
    )
    optimizer.exclude_from_weight_decay(var_names=["biases"])
    return optimizer


def _loss_of_packed_labels(packed: Any, logits: Any) -> Any:
    """Return the loss for labels and weights side by side, `(batch, 2)`: `fit` then applies no weighting of its own."""
    return mean_loss(logits, keras.ops.cast(packed[:, 0], "int32"), packed[:, 1])

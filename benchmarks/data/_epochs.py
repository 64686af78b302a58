"""Epochs of a float Keras model, each one compiled `lax.scan` on JAX: no Python between steps."""

from __future__ import annotations

from typing import Any

import jax
import keras
import numpy as np
from numpy.typing import NDArray

from nas_fpga.training._model import mean_loss


class Epochs:
    """Trains a model one epoch at a time on rows that stay where they are, with Adam.

    Args:
        model: A built model that gives raw logits.
        inputs: `(n, d)` float32.
        labels: `(n,)` int64.
        weights: `(n,)` float32, of mean 1.
        batch_size: Rows of a step; the rest of an epoch that fills no batch is left out (rows change with the order).
    """

    def __init__(
        self,
        model: keras.Sequential,
        inputs: NDArray[np.float32],
        labels: NDArray[np.int64],
        weights: NDArray[np.float32],
        batch_size: int,
    ) -> None:
        """See the class."""
        self.model, self.batch_size = model, batch_size
        self.n_steps = len(inputs) // batch_size
        self.optimizer = keras.optimizers.Adam()
        self.optimizer.build(model.trainable_variables)
        self._rows = tuple(jax.device_put(array) for array in (inputs, labels, weights))
        self._epoch = jax.jit(self._scan, donate_argnums=(0, 2))

    def _scan(self, trainable: Any, frozen: Any, optimizer: Any, order: Any, rows: Any) -> Any:
        shuffled = [array[order] for array in rows]

        def loss(trainable: Any, x: Any, y: Any, w: Any) -> Any:
            logits, _ = self.model.stateless_call(trainable, frozen, x, training=True)
            return mean_loss(logits, y, w)

        def step(carry: Any, start: Any) -> Any:
            trainable, optimizer = carry
            batch = [jax.lax.dynamic_slice_in_dim(array, start, self.batch_size) for array in shuffled]
            value, gradients = jax.value_and_grad(loss)(trainable, *batch)
            return self.optimizer.stateless_apply(optimizer, gradients, trainable), value

        starts = np.arange(self.n_steps) * self.batch_size
        (trainable, optimizer), losses = jax.lax.scan(step, (trainable, optimizer), starts)
        return trainable, optimizer, losses.mean()

    def train(self, order: NDArray[np.int64], learning_rate: float) -> float:
        """Train one epoch with the rows in this order, update the model's variables, return the mean loss."""
        self.optimizer.learning_rate = learning_rate
        variables = (self.model.trainable_variables, self.model.non_trainable_variables, self.optimizer.variables)
        state = [[variable.value for variable in group] for group in variables]
        trainable, optimizer, loss = self._epoch(*state, order.astype(np.int32), self._rows)
        for group, values in ((variables[0], trainable), (variables[2], optimizer)):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return float(loss)

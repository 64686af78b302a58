"""One epoch of training, as fast as each backend allows: the only place where the backends differ."""

from __future__ import annotations

import abc
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from nas_fpga.training._model import mean_loss


class Epochs(abc.ABC):
    """Trains a Keras model one epoch at a time on rows that stay where they are.

    Args:
        model: A built model.
        inputs: `(n, d)` float32, after the input format.
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
        self.model = model
        self.batch_size = batch_size
        self.n_steps = len(inputs) // batch_size
        self.rows = (inputs, labels, weights)
        self.optimizer = keras.optimizers.Adam()

    @abc.abstractmethod
    def train(self, order: NDArray[np.int64], learning_rate: float) -> float:
        """Train one epoch with the rows in this order, update the model's variables, return the mean loss."""


class JaxEpochs(Epochs):
    """The whole epoch is one compiled `lax.scan`: no Python between steps."""

    def __init__(self, *args: Any) -> None:
        """See :class:`Epochs`."""
        super().__init__(*args)
        import jax

        self.optimizer.build(self.model.trainable_variables)
        self.rows = tuple(jax.device_put(array) for array in self.rows)
        self._epoch = jax.jit(self._scan, donate_argnums=(0, 2))

    def _scan(self, trainable: Any, frozen: Any, optimizer: Any, order: Any, rows: Any) -> Any:
        import jax

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
        """See :meth:`Epochs.train`."""
        self.optimizer.learning_rate = learning_rate
        variables = (self.model.trainable_variables, self.model.non_trainable_variables, self.optimizer.variables)
        state = [[variable.value for variable in group] for group in variables]
        trainable, optimizer, loss = self._epoch(*state, order.astype(np.int32), self.rows)
        for group, values in ((variables[0], trainable), (variables[2], optimizer)):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return float(loss)


class KerasEpochs(Epochs):
    """Keras' own `fit`, an epoch at a time: for TensorFlow."""

    def __init__(self, *args: Any) -> None:
        """See :class:`Epochs`."""
        super().__init__(*args)
        self.model.compile(self.optimizer, loss=_loss_of_packed_labels)

    def train(self, order: NDArray[np.int64], learning_rate: float) -> float:
        """See :meth:`Epochs.train`."""
        self.optimizer.learning_rate = learning_rate
        inputs, labels, weights = (array[order[: self.n_steps * self.batch_size]] for array in self.rows)
        packed = np.stack([labels.astype(np.float32), weights], axis=1)
        history = self.model.fit(inputs, packed, batch_size=self.batch_size, shuffle=False, verbose=0)
        return float(history.history["loss"][0])


def _loss_of_packed_labels(packed: Any, logits: Any) -> Any:
    """Return the loss for labels and weights side by side, `(batch, 2)`: `fit` then applies no weighting of its own."""
    return mean_loss(logits, keras.ops.cast(packed[:, 0], "int32"), packed[:, 1])


def release() -> None:
    """Forget compiled programs and names: every candidate has a program of its own, 7 MB of it on JAX."""
    keras.backend.clear_session()
    if keras.backend.backend() == "jax":
        import jax

        jax.clear_caches()  # type: ignore[no-untyped-call]


def make_epochs(*args: Any) -> Epochs:
    """Return the epochs of the Keras backend in use."""
    return JaxEpochs(*args) if keras.backend.backend() == "jax" else KerasEpochs(*args)

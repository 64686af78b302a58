"""One epoch of several members, training and validation, as one compiled JAX program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from nas_fpga.training._adam import AdamSettings, AdamState, adam
from nas_fpga.training._bucket import Bucket
from nas_fpga.training._model import PopulationMLP, mean_loss
from nas_fpga.training._programs import FIXED_BITS, quick_to_compile
from nas_fpga.training._rows import Rows

# Rows of a validation block. Activations of a wide network then stay in a core's cache: an epoch of 2,000, 1,024 or 400
# neurons takes 1.3 times as long with all rows at once (measured on one core).
_VALIDATION_ROWS = 1024


class DeviceRows(NamedTuple):
    """Rows that stay on the device, see :class:`Rows`."""

    inputs: Any
    labels: Any
    weights: Any

    @classmethod
    def of(cls, rows: Rows) -> DeviceRows:
        """Put them there."""
        return cls(*jax.device_put((rows.inputs, rows.labels, rows.weights)))

    @classmethod
    def in_blocks(cls, rows: Rows) -> DeviceRows:
        """Put them there in blocks `(blocks, rows, ...)`; what fills the last one has no weight."""
        n_blocks = -(-len(rows) // _VALIDATION_ROWS)
        size = -(-len(rows) // n_blocks)
        missing = n_blocks * size - len(rows)

        def blocks(array: NDArray[Any]) -> NDArray[Any]:
            padded = np.pad(array, [(0, missing)] + [(0, 0)] * (array.ndim - 1))
            return padded.reshape(n_blocks, size, *array.shape[1:])

        # The mean over a padded block, averaged over the blocks, is the mean over the rows.
        weights = blocks(rows.weights) * np.float32(n_blocks * size / len(rows))
        return cls(*jax.device_put((blocks(rows.inputs), blocks(rows.labels), weights)))


class State(NamedTuple):
    """What an epoch changes: parameters `(members, n)` and what the optimiser remembers of them."""

    parameters: Any
    optimizer: AdamState


class Epoch(NamedTuple):
    """What an epoch is given for every member.

    Attributes:
        quantizers: Values of the layer's variables that do not train, `(members, n)` each.
        orders: Rows of the epoch, `(members, n)` int32.
        learning_rates: Of every step, with Adam's corrections, `(members, steps)` float32.
        weight_decay: Share of kernels that a step takes, `(members,)` float32.
        optimizer: Further settings of it.
        dropout: Share, `(members,)` float32.
        keys: Of the random numbers of dropout, `(members, 2)` uint32.
    """

    quantizers: Sequence[Any]
    orders: Any
    learning_rates: Any
    weight_decay: Any
    optimizer: AdamSettings
    dropout: Any
    keys: Any


class Program:
    """Trains the members in its slots for one epoch, and gives their loss on validation rows.

    Compiled once, when it first runs; no Python between steps.

    Args:
        bucket: Its shapes.
        members: Slots.
        train: Rows to train on. What fills no batch at the end of an epoch is left out (rows change with the order).
        validation: Rows to validate on.
    """

    def __init__(self, bucket: Bucket, members: int, train: DeviceRows, validation: DeviceRows) -> None:
        """See the class."""
        self.bucket, self.members = bucket, members
        self.layer = PopulationMLP(bucket.layout, members)
        self.layer.build((None, bucket.widths[0]))
        self._rows = (train, validation)
        self._n_steps = train.inputs.shape[0] // bucket.batch_size
        self._run = jax.jit(self._epoch, donate_argnums=0, compiler_options=quick_to_compile(*FIXED_BITS))

    def run(self, state: State, epoch: Epoch) -> tuple[State, NDArray[np.float32], NDArray[np.float32]]:
        """Return the state after the epoch, and every member's mean loss in training and on validation `(members,)`."""
        state, train_losses, validation_losses = self._run(state, epoch, *self._rows)
        return state, np.asarray(train_losses), np.asarray(validation_losses)

    def _logits(self, parameters: Any, epoch: Epoch, inputs: Any, key: Any = None) -> Any:
        keep = None if key is None else _keep(epoch.dropout, jax.vmap(jax.random.fold_in, (0, None))(epoch.keys, key))
        return self.layer.stateless_call(list(parameters), list(epoch.quantizers), inputs, keep=keep)[0]

    def _epoch(self, state: State, epoch: Epoch, train: DeviceRows, validation: DeviceRows) -> Any:
        size, decays = self.bucket.batch_size, (epoch.weight_decay[:, None], 0.0)
        settings = AdamSettings(*(value[:, None] for value in epoch.optimizer))

        def loss(parameters: Any, rows: DeviceRows, step: Any) -> Any:
            logits = self._logits(parameters, epoch, rows.inputs, step if self.bucket.dropout else None)
            losses = mean_loss(logits, rows.labels, rows.weights)
            return losses.sum(), losses  # no member's gradient depends on another's loss

        def update(state: State, step: Any) -> Any:
            chosen = jax.lax.dynamic_slice_in_dim(epoch.orders, step * size, size, axis=1)
            rows = DeviceRows(*(array[chosen] for array in train))
            gradients, losses = jax.grad(loss, has_aux=True)(state.parameters, rows, step)
            rate = jax.lax.dynamic_slice_in_dim(epoch.learning_rates, step, 1, axis=1)
            return State(*adam(state.parameters, state.optimizer, gradients, (rate, rate), decays, settings)), losses

        state, train_losses = jax.lax.scan(update, state, jnp.arange(self._n_steps))

        def validate(rows: DeviceRows) -> Any:
            inputs = jnp.broadcast_to(rows.inputs, (self.members, *rows.inputs.shape))
            return mean_loss(self._logits(state.parameters, epoch, inputs), rows.labels, rows.weights)

        return state, train_losses.mean(axis=0), jax.lax.map(validate, validation).mean(axis=0)


def _keep(dropout: Any, keys: Any) -> Any:
    """Return the dropout of one step: every member draws from its own key."""

    def keep(layer: int, shape: tuple[int, ...]) -> Any:
        def draw(key: Any, rate: Any) -> Any:
            return jax.random.bernoulli(jax.random.fold_in(key, layer), 1 - rate, shape[1:]) / (1 - rate)

        return jax.vmap(draw)(keys, dropout)

    return keep

"""The compiled program: one epoch of training with learned bits, for every network of one bucket."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from nas_fpga.training._adam import AdamSettings, AdamState, adam
from nas_fpga.training._bucket import Bucket
from nas_fpga.training._layout import Layout
from nas_fpga.training._model import mean_loss
from nas_fpga.training._program import DeviceRows
from nas_fpga.training._programs import LEARNED_BITS, quick_to_compile
from nas_fpga.training.learned_bits._quantizers import (
    UnitFormats,
    quantize_units,
    quantize_weights,
    unit_formats,
    weight_bits,
)

WEIGHT_FRACTION_BITS = (-8.0, 16.0)  # integers of a layer on its finest step fit 32 bits with room to spare
UNIT_BITS = (-16.0, 16.0)


class Parameters(NamedTuple):
    """What one member learns; bits are real numbers that are rounded where they are used.

    Where they are trained one vector holds all of them, in this order: one loop of the optimiser compiles sooner than
    four.

    Attributes:
        weights: `(P,)` kernels, then biases.
        weight_fraction: `(P,)` fraction bits of each.
        unit_integer: `(U,)` integer bits of inputs and hidden neurons, signs not counted; inputs keep theirs.
        unit_fraction: `(U,)` fraction bits of inputs and hidden neurons.
    """

    weights: Any
    weight_fraction: Any
    unit_integer: Any
    unit_fraction: Any

    @classmethod
    def of(cls, layout: Layout, vector: Any) -> Parameters:
        """Return the parts of the one vector."""
        sizes = [layout.n_weights + layout.n_biases] * 2 + [layout.n_units] * 2
        if isinstance(vector, np.ndarray):
            return cls(*np.split(vector, np.cumsum(sizes[:-1])))
        return cls(*jax.lax.split(vector, sizes))


class InputGrid(NamedTuple):
    """The input format: what a network may not exceed.

    Attributes:
        signed: `(n_inputs,)` 0 or 1.
        least_fraction: `(n_inputs,)` least fraction bits.
        most_fraction: `(n_inputs,)` fraction bits of the format.
    """

    signed: Any
    least_fraction: Any
    most_fraction: Any


class Rates(NamedTuple):
    """What one member's epoch runs with.

    Attributes:
        parameters: `(P + P + U + U,)` learning rate of each; 0 for one that stays.
        decays: As long: the share of each that is taken from it in a step.
        corrections: `(steps,)` what the learning rates are multiplied by in each step.
        pressure: Loss per effective bit operation, a scalar.
        optimizer: Further settings of it, scalars.
    """

    parameters: Any
    decays: Any
    corrections: Any
    pressure: Any
    optimizer: AdamSettings


def logits_and_ebops(layout: Layout, signed: Any, parameters: Parameters, inputs: Any) -> tuple[Any, Any]:
    """Return raw outputs `(n, n_outputs)` and the effective bit operations of a member.

    A multiplication counts the bits of the input times those of the weight, an addition of a bias its bits (HGQ2's
    EBOPs). Signs count for inputs only.

    Args:
        layout: Of the parameters.
        signed: `(U,)` 0 or 1; hidden neurons have none.
        parameters: Of the member.
        inputs: `(n, n_inputs)`.
    """
    flat = quantize_weights(parameters.weights, parameters.weight_fraction)
    bits = weight_bits(flat, parameters.weight_fraction)
    units = unit_formats(signed, parameters.unit_integer, parameters.unit_fraction)
    # The derivative of a split is one concatenation, that of slices a sum of padded vectors.
    sizes = [n_in * n_out for n_in, n_out in layout.shapes] + list(layout.widths[1:])
    flat_parts, bits_parts = (jax.lax.split(vector, sizes) for vector in (flat, bits))
    read = layout.widths[:-1]
    formats = [UnitFormats(*parts) for parts in zip(*(jax.lax.split(vector, read) for vector in units), strict=True)]
    values, ebops = inputs, jnp.float32(0)
    for i, shape in enumerate(layout.shapes):
        kernel, kernel_bits = (parts[i].reshape(shape) for parts in (flat_parts, bits_parts))
        bias, bias_bits = (parts[len(layout.shapes) + i] for parts in (flat_parts, bits_parts))
        values = quantize_units(values, formats[i] if i == 0 else formats[i]._replace(low=jnp.float32(0)))
        values = values @ kernel + bias
        ebops += formats[i].bits @ kernel_bits.sum(axis=1) + bias_bits.sum()
    return values, ebops


def loss_and_parts(
    parameters: Parameters, layout: Layout, signed: Any, rows: DeviceRows, pressure: Any
) -> tuple[Any, tuple[Any, Any]]:
    """Return what is minimised, and its parts: the cross entropy, and the effective bit operations."""
    logits, ebops = logits_and_ebops(layout, signed, parameters, rows.inputs)
    entropy = mean_loss(logits, rows.labels, rows.weights)
    return entropy + pressure * ebops, (entropy, ebops)


class Limits(NamedTuple):
    """What training does not change, or exceed.

    Attributes:
        signed: `(U,)` 0 or 1.
        lowest: `(P + P + U + U,)` least value of every parameter.
        highest: The largest.
    """

    signed: Any
    lowest: Any
    highest: Any

    @classmethod
    def of(cls, layout: Layout, grid: InputGrid) -> Limits:
        """Return those of a layout."""
        signed = np.zeros(layout.n_units, np.float32)
        signed[layout.units[0]] = grid.signed
        lowest, highest = (
            np.concatenate(
                [
                    np.full(layout.n_weights + layout.n_biases, side * np.inf),
                    np.full(layout.n_weights + layout.n_biases, of_weights),
                    np.full(layout.n_units, of_units),
                    inputs,
                    np.full(layout.n_units - layout.widths[0], of_units),
                ],
                dtype=np.float32,
            )
            for side, of_weights, of_units, inputs in zip(
                (-1, 1), WEIGHT_FRACTION_BITS, UNIT_BITS, (grid.least_fraction, grid.most_fraction), strict=True
            )
        )
        return cls(signed, lowest, highest)


class State(NamedTuple):
    """What an epoch changes of a member: the one vector of its parameters, and what the optimiser remembers."""

    parameters: Any
    optimizer: AdamState


class Epoch(NamedTuple):
    """What an epoch is given for a member.

    Attributes:
        rates: See :class:`Rates`.
        order: `(n,)` int32 rows of the epoch.
    """

    rates: Rates
    order: Any


class Program:
    """Trains the members in its slots for one epoch, and gives their loss on validation rows.

    Compiled once, when it first runs. Nothing but shapes is compiled in: topology, bits, learning rates, pressure and
    order of rows are data.

    Args:
        bucket: Its shapes.
        members: Slots.
        grid: The input format.
        train: Rows to train on. What fills no batch at the end of an epoch is left out (rows change with the order).
        validation: Rows to validate on, in blocks.
    """

    def __init__(
        self, bucket: Bucket, members: int, grid: InputGrid, train: DeviceRows, validation: DeviceRows
    ) -> None:
        """See the class."""
        self._layout, self._batch_size, self._members = bucket.layout, bucket.batch_size, members
        self._data = (jax.device_put(Limits.of(bucket.layout, grid)), train, validation)
        self._run = jax.jit(self._epoch, donate_argnums=0, compiler_options=quick_to_compile(*LEARNED_BITS))

    def run(self, state: State, epoch: Epoch) -> tuple[State, NDArray[np.float32], NDArray[np.float32]]:
        """See :meth:`nas_fpga.training._slots.SlotProgram.run`."""
        state, train_losses, validation_losses = self._run(state, epoch, *self._data)
        return state, np.mean(train_losses, axis=1), np.mean(validation_losses, axis=1)

    def _epoch(self, states: State, epochs: Epoch, *data: Any) -> Any:
        def one(state: State, epoch: Epoch) -> Any:
            return self._member_epoch(state, epoch, *data)

        if self._members > 1:
            return jax.vmap(one)(states, epochs)
        # A members' axis of one would turn every product of matrices into a batched one.
        return jax.tree.map(lambda a: a[None], one(*jax.tree.map(lambda a: a[0], (states, epochs))))

    def _member_epoch(
        self, state: State, epoch: Epoch, limits: Limits, train: DeviceRows, validation: DeviceRows
    ) -> Any:
        size, layout, rates = self._batch_size, self._layout, epoch.rates
        shuffled = jax.tree.map(lambda array: array[epoch.order], train)

        def loss(vector: Any, rows: DeviceRows) -> tuple[Any, Any]:
            return loss_and_parts(Parameters.of(layout, vector), layout, limits.signed, rows, rates.pressure)

        def update(state: State, step: Any) -> tuple[State, Any]:
            rows = jax.tree.map(lambda a: jax.lax.dynamic_slice_in_dim(a, step * size, size), shuffled)
            gradients, (entropy, _) = jax.grad(loss, has_aux=True)(state.parameters, rows)
            steps = rates.parameters * rates.corrections[step]
            parameters, optimizer = adam(
                state.parameters, state.optimizer, gradients, steps, rates.decays, rates.optimizer
            )
            return State(jnp.clip(parameters, limits.lowest, limits.highest), optimizer), entropy

        state, train_losses = jax.lax.scan(update, state, jnp.arange(epoch.order.shape[0] // size))
        parameters = Parameters.of(layout, state.parameters)

        def validate(rows: DeviceRows) -> Any:
            logits, _ = logits_and_ebops(layout, limits.signed, parameters, rows.inputs)
            return mean_loss(logits, rows.labels, rows.weights)

        return state, train_losses, jax.lax.map(validate, validation)

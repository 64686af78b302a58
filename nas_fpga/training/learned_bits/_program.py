"""The compiled program: one epoch of training with learned bits, for every network of one padded shape."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from nas_fpga.training.learned_bits import _adam as adam
from nas_fpga.training.learned_bits._layout import Layout
from nas_fpga.training.learned_bits._quantizers import quantize_units, quantize_weights, unit_formats, weight_bits

WEIGHT_FRACTION_BITS = (-8.0, 16.0)  # integers of a layer on its finest step fit 32 bits with room to spare
UNIT_BITS = (-16.0, 16.0)


class Parameters(NamedTuple):
    """What one member learns; bits are real numbers that are rounded where they are used.

    Attributes:
        weights: `(P,)` kernels and biases.
        weight_fraction: `(P,)` fraction bits of each.
        unit_integer: `(U,)` integer bits of inputs and hidden neurons, signs not counted; inputs keep theirs.
        unit_fraction: `(U,)` fraction bits of inputs and hidden neurons.
    """

    weights: Any
    weight_fraction: Any
    unit_integer: Any
    unit_fraction: Any


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
    """What one member's epoch runs with: scalars.

    Attributes:
        weights: Learning rate of weights.
        bits: Learning rate of bits.
        pressure: Loss per effective bit operation.
    """

    weights: Any
    bits: Any
    pressure: Any


class Rows(NamedTuple):
    """Rows of a data set: inputs `(n, d)`, labels `(n,)` or one-hot `(n, k)`, and loss weights `(n,)`; float32."""

    inputs: Any
    labels: Any
    weights: Any


def logits_and_ebops(layout: Layout, grid: InputGrid, parameters: Parameters, inputs: Any) -> tuple[Any, Any]:
    """Return raw outputs `(n, n_outputs)` and the effective bit operations of a member.

    A multiplication counts the bits of the input times those of the weight, an addition of a bias its bits (HGQ2's
    EBOPs). Signs count for inputs only.
    """
    flat = quantize_weights(parameters.weights, parameters.weight_fraction)
    bits = weight_bits(flat, parameters.weight_fraction)
    signed = jnp.pad(grid.signed, (0, layout.n_units - layout.n_inputs))
    # Worked out once, not again for every element of a batch, as the compiler would have it.
    flat, units = jax.lax.optimization_barrier(
        (flat, unit_formats(signed, parameters.unit_integer, parameters.unit_fraction))
    )
    values, ebops = inputs, jnp.float32(0)
    for i, ((n_in, n_out), part, (kernel, bias)) in enumerate(
        zip(layout.shapes, layout.unit_slices, layout.parameter_slices, strict=True)
    ):
        formats = units.of(part)
        values = quantize_units(values, formats if i == 0 else formats._replace(low=jnp.float32(0)))
        ebops += units.bits[part] @ bits[kernel].reshape(n_in, n_out).sum(axis=1) + bits[bias].sum()
        values = values @ flat[kernel].reshape(n_in, n_out) + flat[bias]
    return values, ebops


def mean_loss(logits: Any, labels: Any, weights: Any) -> Any:
    """Return the weighted mean cross entropy of raw logits, see :func:`nas_fpga.training._model.mean_loss`."""
    if logits.shape[-1] == 1:
        z = logits[:, 0]
        losses = jax.nn.softplus(z) - z * labels
    else:
        losses = jax.nn.logsumexp(logits, axis=-1) - (logits * labels).sum(axis=-1)
    return (losses * weights).mean()


def loss_and_parts(
    parameters: Parameters, layout: Layout, grid: InputGrid, rows: Rows, pressure: Any
) -> tuple[Any, tuple[Any, Any]]:
    """Return what is minimised, and its parts: the cross entropy, and the effective bit operations."""
    logits, ebops = logits_and_ebops(layout, grid, parameters, rows.inputs)
    entropy = mean_loss(logits, rows.labels, rows.weights)
    return entropy + pressure * ebops, (entropy, ebops)


def within_bounds(parameters: Parameters, grid: InputGrid) -> Parameters:
    """Return the parameters with their bits inside their bounds."""
    n = grid.signed.shape[0]
    fraction = parameters.unit_fraction
    arriving = jnp.clip(fraction[:n], grid.least_fraction, grid.most_fraction)
    return parameters._replace(
        weight_fraction=jnp.clip(parameters.weight_fraction, *WEIGHT_FRACTION_BITS),
        unit_integer=jnp.clip(parameters.unit_integer, *UNIT_BITS),
        unit_fraction=jnp.concatenate([arriving, jnp.clip(fraction[n:], *UNIT_BITS)]),
    )


def train_step(
    parameters: Parameters, state: adam.AdamState, layout: Layout, grid: InputGrid, rows: Rows, rates: Rates
) -> tuple[Parameters, adam.AdamState, Any]:
    """Take one step on a batch; returns the new parameters, the new state and the cross entropy before the step."""
    gradients, (entropy, _) = jax.grad(loss_and_parts, has_aux=True)(parameters, layout, grid, rows, rates.pressure)
    frozen = gradients.unit_integer.at[: layout.n_inputs].set(0.0)  # the ends of the input format stay
    gradients = gradients._replace(unit_integer=frozen)
    learning_rates = Parameters(rates.weights, rates.bits, rates.bits, rates.bits)
    parameters, state = adam.step(parameters, gradients, state, learning_rates)
    return within_bounds(parameters, grid), state, entropy


class EpochProgram:
    """Trains members of one padded shape an epoch at a time, side by side in slots, and measures them.

    Nothing but shapes is compiled in: topology, bits, learning rates, pressure and order of rows are data. All arrays
    of a member have a leading axis over the slots.

    Args:
        layout: The padded shape.
        n_slots: Members side by side.
        batch_size: Rows of a step; the rest of an epoch that fills no batch is left out.
    """

    def __init__(self, layout: Layout, n_slots: int, batch_size: int) -> None:
        """See the class."""
        self.layout, self.n_slots, self.batch_size = layout, n_slots, batch_size
        self._run = jax.jit(self._all, donate_argnums=(0, 1))

    def __call__(
        self,
        parameters: Parameters,
        state: adam.AdamState,
        rates: Rates,
        orders: Any,
        grid: InputGrid,
        training: Rows,
        validation: Rows,
    ) -> tuple[Parameters, adam.AdamState, Any, Any, Any]:
        """Return parameters, optimizer state, training loss, validation loss and EBOPs `(n_slots,)` after an epoch.

        Args:
            parameters: Of all slots; used up.
            state: Of all slots; used up.
            rates: `(n_slots,)` each.
            orders: `(n_slots, n)` int32 rows of the training set in the order of this epoch.
            grid: Shared.
            training: Shared.
            validation: Shared.
        """
        return self._run(parameters, state, rates, orders, grid, training, validation)

    def _all(self, *arguments: Any) -> Any:
        if self.n_slots > 1:
            return jax.vmap(self._one, in_axes=(0, 0, 0, 0, None, None, None))(*arguments)
        # A members' axis of one would turn every product of matrices into a batched one.
        members = jax.tree.map(lambda a: a[0], arguments[:4])
        return jax.tree.map(lambda a: a[None], self._one(*members, *arguments[4:]))

    def _one(
        self,
        parameters: Parameters,
        state: adam.AdamState,
        rates: Rates,
        order: Any,
        grid: InputGrid,
        training: Rows,
        validation: Rows,
    ) -> Any:
        shuffled = jax.tree.map(lambda a: a[order], training)

        def body(carry: Any, start: Any) -> Any:
            batch = jax.tree.map(lambda a: jax.lax.dynamic_slice_in_dim(a, start, self.batch_size), shuffled)
            *carry, entropy = train_step(*carry, self.layout, grid, batch, rates)
            return tuple(carry), entropy

        starts = jnp.arange(order.shape[0] // self.batch_size) * self.batch_size
        (parameters, state), entropies = jax.lax.scan(body, (parameters, state), starts)
        logits, ebops = logits_and_ebops(self.layout, grid, parameters, validation.inputs)
        return parameters, state, entropies.mean(), mean_loss(logits, validation.labels, validation.weights), ebops

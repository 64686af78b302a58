"""The compiled program: one epoch of training with learned bits, for every network of one padded shape."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from nas_fpga.training._adam import AdamSettings, AdamState, adam
from nas_fpga.training._model import mean_loss
from nas_fpga.training._program import DeviceRows
from nas_fpga.training.learned_bits._layout import Layout
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
        weight_decay: Share of a kernel, times its learning rate, that is taken from it in a step.
        optimizer: Further settings of it.
    """

    weights: Any
    bits: Any
    pressure: Any
    weight_decay: Any
    optimizer: AdamSettings


def logits_and_ebops(layout: Layout, grid: InputGrid, parameters: Parameters, inputs: Any) -> tuple[Any, Any]:
    """Return raw outputs `(n, n_outputs)` and the effective bit operations of a member.

    A multiplication counts the bits of the input times those of the weight, an addition of a bias its bits (HGQ2's
    EBOPs). Signs count for inputs only.
    """
    flat = quantize_weights(parameters.weights, parameters.weight_fraction)
    bits = weight_bits(flat, parameters.weight_fraction)
    signed = jnp.pad(grid.signed, (0, layout.n_units - layout.n_inputs))
    # Worked out once, not again for every element of a batch, as the compiler would have it.
    flat, units = jax.lax.optimization_barrier(  # type: ignore[no-untyped-call]
        (flat, unit_formats(signed, parameters.unit_integer, parameters.unit_fraction))
    )
    # The derivative of a split is one concatenation, that of slices a sum of padded vectors.
    sizes = [size for n_in, n_out in layout.shapes for size in (n_in * n_out, n_out)]
    flat_parts, bits_parts = (jax.lax.split(vector, sizes) for vector in (flat, bits))
    widths = [n_in for n_in, _ in layout.shapes]
    formats = [UnitFormats(*parts) for parts in zip(*(jax.lax.split(vector, widths) for vector in units), strict=True)]
    values, ebops = inputs, jnp.float32(0)
    for i, shape in enumerate(layout.shapes):
        kernel, bias = flat_parts[2 * i].reshape(shape), flat_parts[2 * i + 1]
        values = quantize_units(values, formats[i] if i == 0 else formats[i]._replace(low=jnp.float32(0)))
        values = values @ kernel + bias
        ebops += formats[i].bits @ bits_parts[2 * i].reshape(shape).sum(axis=1) + bits_parts[2 * i + 1].sum()
    return values, ebops


def loss_and_parts(
    parameters: Parameters, layout: Layout, grid: InputGrid, rows: DeviceRows, pressure: Any
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


class MemberState(NamedTuple):
    """What an epoch changes of a member."""

    parameters: Parameters
    optimizer: AdamState


class Figures(NamedTuple):
    """What is known of a member after an epoch: scalars.

    Attributes:
        training_loss: Mean cross entropy of the batches, each before its step.
        validation_loss: Cross entropy on the validation rows.
    """

    training_loss: Any
    validation_loss: Any


def train_step(
    member: MemberState, layout: Layout, grid: InputGrid, rows: DeviceRows, rates: Rates
) -> tuple[MemberState, Any]:
    """Take one step on a batch; returns the member after it and the cross entropy before it."""
    gradient = jax.grad(loss_and_parts, has_aux=True)
    gradients, (entropy, _) = gradient(member.parameters, layout, grid, rows, rates.pressure)
    frozen = gradients.unit_integer.at[: layout.n_inputs].set(0.0)  # the ends of the input format stay
    gradients = gradients._replace(unit_integer=frozen)
    learning_rates = Parameters(rates.weights, rates.bits, rates.bits, rates.bits)
    decays = Parameters(rates.weights * rates.weight_decay * layout.is_kernel, 0.0, 0.0, 0.0)
    parameters, optimizer = adam(
        member.parameters, member.optimizer, gradients, learning_rates, decays, rates.optimizer
    )
    return MemberState(within_bounds(parameters, grid), optimizer), entropy


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
        self.epoch = jax.jit(self._epoch, donate_argnums=0)

    def _epoch(
        self,
        members: MemberState,
        rates: Rates,
        orders: Any,
        grid: InputGrid,
        training: DeviceRows,
        validation: DeviceRows,
    ) -> tuple[MemberState, Figures]:
        """Return the members and their figures after an epoch; compiled as ``epoch``.

        Args:
            members: All slots; used up.
            rates: Of all slots.
            orders: `(n_slots, n)` int32 rows of the training set in the order of this epoch.
            grid: Shared.
            training: Shared.
            validation: Shared.
        """

        def one(member: MemberState, rates: Rates, order: Any) -> tuple[MemberState, Figures]:
            return self._member_epoch(member, rates, order, grid, training, validation)

        if self.n_slots > 1:
            stacked: tuple[MemberState, Figures] = jax.vmap(one)(members, rates, orders)
            return stacked
        # A members' axis of one would turn every product of matrices into a batched one.
        alone: tuple[MemberState, Figures] = jax.tree.map(
            lambda a: a[None], one(*jax.tree.map(lambda a: a[0], (members, rates, orders)))
        )
        return alone

    def _member_epoch(
        self,
        member: MemberState,
        rates: Rates,
        order: Any,
        grid: InputGrid,
        training: DeviceRows,
        validation: DeviceRows,
    ) -> tuple[MemberState, Figures]:
        shuffled = jax.tree.map(lambda a: a[order], training)

        def body(member: MemberState, start: Any) -> tuple[MemberState, Any]:
            batch = jax.tree.map(lambda a: jax.lax.dynamic_slice_in_dim(a, start, self.batch_size), shuffled)
            return train_step(member, self.layout, grid, batch, rates)

        starts = jnp.arange(order.shape[0] // self.batch_size) * self.batch_size
        member, entropies = jax.lax.scan(body, member, starts)
        logits, _ = logits_and_ebops(self.layout, grid, member.parameters, validation.inputs)
        return member, Figures(entropies.mean(), mean_loss(logits, validation.labels, validation.weights))

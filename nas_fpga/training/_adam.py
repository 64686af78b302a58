"""Adam on the flat vectors of several members, each with settings of its own."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class AdamSettings(NamedTuple):
    """Settings of the optimiser, `(members,)` float32 each."""

    learning_rate: Any
    beta_1: Any
    beta_2: Any
    epsilon: Any
    weight_decay: Any


class AdamState(NamedTuple):
    """What the optimiser remembers.

    Attributes:
        mean: Of the gradients, like the parameters.
        square: Mean of their squares.
        count: Updates so far, `(members,)` float32.
    """

    mean: Any
    square: Any
    count: Any


def adam(parameters: Any, state: AdamState, gradients: Any, settings: AdamSettings) -> tuple[Any, AdamState]:
    """Return parameters and state after one update.

    Kingma and Ba (arXiv:1412.6980), algorithm 1 in the form of the last paragraph of section 2; decoupled weight decay
    on kernels after Loshchilov and Hutter (arXiv:1711.05101). As in Keras.

    Args:
        parameters: Kernels and biases, `(members, n)` each.
        state: Like them.
        gradients: Like them.
        settings: Of every member.
    """
    rate, beta_1, beta_2, epsilon, decay = (value[:, None] for value in settings)
    count = state.count + 1
    t = count[:, None]
    step = rate * jnp.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    mean = jax.tree.map(lambda m, g: m + (g - m) * (1 - beta_1), state.mean, gradients)
    square = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - beta_2), state.square, gradients)
    kernels, biases = parameters
    decayed = (kernels - kernels * decay * rate, biases)
    updated = jax.tree.map(lambda p, m, v: p - step * m / (jnp.sqrt(v) + epsilon), decayed, mean, square)
    return updated, AdamState(mean, square, count)

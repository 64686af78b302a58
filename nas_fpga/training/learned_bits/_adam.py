"""Adam on the vectors of one member."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

_FIRST, _SECOND, _EPSILON = 0.9, 0.999, 1e-7  # Keras' defaults


class AdamState(NamedTuple):
    """Both moments, shaped like the parameters, and the steps taken."""

    first: Any
    second: Any
    n_steps: Any


def fresh(parameters: Any) -> AdamState:
    """Return the state before the first step."""
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    return AdamState(zeros, jax.tree.map(jnp.zeros_like, parameters), jnp.float32(0))


def step(parameters: Any, gradients: Any, state: AdamState, learning_rates: Any) -> tuple[Any, AdamState]:
    """Take one step (Kingma and Ba, arXiv:1412.6980), with a learning rate for each vector.

    Args:
        parameters: A tree of vectors.
        gradients: Shaped like the parameters.
        state: Before the step.
        learning_rates: A tree of scalars.
    """
    n_steps = state.n_steps + 1
    correction = jnp.sqrt(1 - _SECOND**n_steps) / (1 - _FIRST**n_steps)
    first = jax.tree.map(lambda m, g: m + (g - m) * (1 - _FIRST), state.first, gradients)
    second = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - _SECOND), state.second, gradients)
    moved = jax.tree.map(
        lambda p, m, v, rate: p - rate * correction * m / (jnp.sqrt(v) + _EPSILON),
        parameters,
        first,
        second,
        learning_rates,
    )
    return moved, AdamState(first, second, n_steps)

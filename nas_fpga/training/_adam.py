"""Adam on a few flat vectors, each with a rate of its own."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from nas_fpga.space import TrainingSettings


class AdamSettings(NamedTuple):
    """What all vectors share: scalars, or arrays that broadcast against them."""

    beta_1: Any
    beta_2: Any
    epsilon: Any

    @classmethod
    def of(cls, settings: TrainingSettings) -> AdamSettings:
        """Return those of a candidate, float32."""
        return cls(*map(np.float32, (settings.beta_1, settings.beta_2, settings.epsilon)))


class AdamState(NamedTuple):
    """What the optimiser remembers.

    Attributes:
        mean: Of the gradients, like the parameters.
        square: Mean of their squares.
        count: Updates so far, broadcasts against the vectors.
    """

    mean: Any
    square: Any
    count: Any


def adam(
    parameters: Any, state: AdamState, gradients: Any, rates: Any, decays: Any, settings: AdamSettings
) -> tuple[Any, AdamState]:
    """Return parameters and state after one update.

    Kingma and Ba (arXiv:1412.6980), algorithm 1 in the form of the last paragraph of section 2; decoupled weight decay
    after Loshchilov and Hutter (arXiv:1711.05101). As in Keras.

    Args:
        parameters: A tree of vectors.
        state: Its moments are like the parameters.
        gradients: Like the parameters.
        rates: A tree of what broadcasts against each vector.
        decays: The same: the share of each vector that is taken from it, the rate included.
        settings: Of all vectors.
    """
    count = state.count + 1
    of_square, of_mean = jnp.sqrt(1 - settings.beta_2**count), 1 - settings.beta_1**count  # they start at zero
    mean = jax.tree.map(lambda m, g: m + (g - m) * (1 - settings.beta_1), state.mean, gradients)
    square = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - settings.beta_2), state.square, gradients)
    updated = jax.tree.map(
        lambda p, m, v, rate, decay: p - p * decay - rate * of_square / of_mean * m / (jnp.sqrt(v) + settings.epsilon),
        parameters,
        mean,
        square,
        rates,
        decays,
    )
    return updated, AdamState(mean, square, count)

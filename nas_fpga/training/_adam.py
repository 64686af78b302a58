"""Adam on a few flat vectors, each with a rate of its own."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from nas_fpga.space import TrainingSettings


class AdamSettings(NamedTuple):
    """What all vectors share: scalars, or arrays that broadcast against them.

    Attributes:
        of_mean: Share of a gradient in the mean of gradients, `1 - beta_1`.
        of_square: Share of its square in the mean of squares, `1 - beta_2`.
        epsilon: Added to the root of the mean of squares.
    """

    of_mean: Any
    of_square: Any
    epsilon: Any

    @classmethod
    def of(cls, settings: TrainingSettings) -> AdamSettings:
        """Return those of a candidate, float32."""
        return cls(*map(np.float32, (1 - settings.beta_1, 1 - settings.beta_2, settings.epsilon)))


class AdamState(NamedTuple):
    """What the optimiser remembers.

    Attributes:
        mean: Of the gradients, like the parameters.
        square: Mean of their squares.
    """

    mean: Any
    square: Any


def corrections(settings: TrainingSettings, epoch: int, n_steps: int) -> NDArray[np.float32]:
    """Return what the learning rate is multiplied by in each step of an epoch, as both means start at zero.

    Args:
        settings: Of the candidate.
        epoch: Counted from 0.
        n_steps: Of every epoch.
    """
    updates = np.arange(n_steps) + epoch * n_steps + 1
    of_mean, of_square = (1 - np.power(beta, updates) for beta in (settings.beta_1, settings.beta_2))
    corrected: NDArray[np.float32] = (np.sqrt(of_square) / of_mean).astype(np.float32)
    return corrected


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
        rates: A tree of what broadcasts against each vector: learning rates, with their :func:`corrections`.
        decays: The same: the share of each vector that is taken from it, the learning rate included.
        settings: Of all vectors.
    """
    mean = jax.tree.map(lambda m, g: m + (g - m) * settings.of_mean, state.mean, gradients)
    square = jax.tree.map(lambda v, g: v + (g * g - v) * settings.of_square, state.square, gradients)
    updated = jax.tree.map(
        lambda p, m, v, rate, decay: p - p * decay - rate * m / (jnp.sqrt(v) + settings.epsilon),
        parameters,
        mean,
        square,
        rates,
        decays,
    )
    return updated, AdamState(mean, square)

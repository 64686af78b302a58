"""Training settings that are searched beside the topology: their ranges, and the presets of published searches."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.space._candidate import SETTING_RULES, TrainingSettings

Levels = NDArray[np.int32]
"""Places of searched settings on their ranges, `(n, k)`, each from 0."""

Scale = Literal["log", "linear", "distance to 1", "integers", "powers of two"]

SETTING_SCALES: dict[str, Scale] = {
    "learning_rate": "log",
    "learning_rate_decay": "log",
    "batch_size": "powers of two",
    "epochs": "integers",
    "patience": "integers",
    "beta_1": "distance to 1",
    "beta_2": "distance to 1",
    "epsilon": "log",
    "weight_decay": "log",
    "dropout": "linear",
    "pressure": "log",
    "bits_learning_rate": "log",
}
"""How each setting is searched; `distance to 1` is logarithmic in one minus the value."""

_MOST_LEVELS = 101  # of one range: a hundredth of it is less than a training's own scatter shows
_STEP = 0.15  # of a range: a typical local move
_TRANSFORMS: Mapping[Scale, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "log": np.log,
    "distance to 1": lambda values: -np.log1p(-values),
}
_INVERSES: Mapping[Scale, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "log": np.exp,
    "distance to 1": lambda values: -np.expm1(-values),
}


@dataclass(frozen=True)
class TrainingSpace:
    """Least and most of every training setting that is searched; None for those that are fixed.

    A range is searched in at most 101 even steps on the scale of :data:`SETTING_SCALES`, both ends included; batch
    sizes are its powers of two. What the settings mean says :class:`TrainingSettings`.
    """

    learning_rate: tuple[float, float] | None = None
    learning_rate_decay: tuple[float, float] | None = None
    batch_size: tuple[int, int] | None = None
    epochs: tuple[int, int] | None = None
    patience: tuple[int, int] | None = None
    beta_1: tuple[float, float] | None = None
    beta_2: tuple[float, float] | None = None
    epsilon: tuple[float, float] | None = None
    weight_decay: tuple[float, float] | None = None
    dropout: tuple[float, float] | None = None
    pressure: tuple[float, float] | None = None
    bits_learning_rate: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Refuse ranges that hold fewer than two values, or one that cannot train.

        Raises:
            InputError: With the value and the cure.
        """
        for name, (low, high) in self.ranges.items():
            said = f"--search-training {name.replace('_', '-')}={low:g}:{high:g}"
            valid, rule = SETTING_RULES[name]
            if not all(math.isfinite(end) and valid(end) for end in (low, high)):
                raise InputError(f"{said} must have ends that are {rule}")
            if not low < high:
                raise InputError(f"{said} must rise; to fix it give --{name.replace('_', '-')} {low:g}")
            if SETTING_SCALES[name] == "log" and low == 0:
                raise InputError(f"{said} must begin above 0, such as 1e-5: its scale is logarithmic")
            values = _values_of(name, low, high)
            if len(set(values)) < max(len(values), 2):
                cure = "have two powers of two, such as 256:1024" if name == "batch_size" else "be wider"
                raise InputError(f"{said} must {cure}")

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The ranges of what is searched, by name."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: given for name, given in found.items() if given is not None}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What is searched."""
        return tuple(self.ranges)

    @cached_property
    def values(self) -> tuple[tuple[float, ...], ...]:
        """What each searched setting may be, rising; integers where the setting is one."""
        return tuple(_values_of(name, low, high) for name, (low, high) in self.ranges.items())

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How many values each searched setting has `(k,)`."""
        return np.array([len(values) for values in self.values], np.int64)

    @property
    def size(self) -> int:
        """How many combinations there are; 1 where nothing is searched."""
        return math.prod(len(values) for values in self.values)

    def shown(self, settings: TrainingSettings) -> dict[str, str]:
        """Return what is searched, by its name in words, with its value in three digits."""
        return {name.replace("_", " "): f"{getattr(settings, name):.3g}" for name in self.names}

    def without(self, names: Sequence[str]) -> TrainingSpace:
        """Return the space with these settings fixed."""
        return replace(self, **{name: None for name in names if name in self.names})

    # Values and their places

    def settings(self, levels: Levels, fixed: TrainingSettings) -> list[TrainingSettings]:
        """Return the settings at levels `(n, k)`; what is not searched is as in ``fixed``."""
        if not self.names:
            return [fixed] * len(levels)
        return [
            replace(fixed, **{name: values[i] for name, values, i in zip(self.names, self.values, row, strict=True)})
            for row in levels.tolist()
        ]

    def epochs_at(self, levels: Levels, fixed: TrainingSettings) -> NDArray[np.int64]:
        """Return the most epochs of a training `(n,)` at levels `(n, k)`."""
        if "epochs" not in self.names:
            return np.full(len(levels), fixed.epochs)
        column = self.names.index("epochs")
        return np.array(self.values[column])[levels[:, column]]

    def levels(self, settings: Sequence[TrainingSettings]) -> Levels:
        """Return the levels nearest to settings `(n, k)`."""
        levels = np.zeros((len(settings), len(self.names)), np.int32)
        for column, (name, values) in enumerate(zip(self.names, self.values, strict=True)):
            given = _transformed(name, [getattr(of, name) for of in settings])
            distances = np.abs(_transformed(name, values) - np.maximum(given, np.finfo(float).min)[:, None])
            levels[:, column] = distances.argmin(axis=1)
        return levels

    def inside(self, levels: Levels) -> NDArray[np.bool_]:
        """Return which levels exist `(n,)`."""
        return np.asarray(((levels >= 0) & (levels < self.counts)).all(axis=1))

    def encode(self, levels: Levels) -> NDArray[np.float64]:
        """Return features for models `(n, k)`: 0 to 1 along each range."""
        features: NDArray[np.float64] = levels / (self.counts - 1)
        return features

    def to_unit(self, levels: Levels) -> NDArray[np.float64]:
        """Return points of the unit cube `(n, k)`, which :meth:`from_unit` decodes to these levels."""
        points: NDArray[np.float64] = (levels + 0.5) / self.counts
        return points

    def from_unit(self, points: NDArray[np.float64]) -> Levels:
        """Return the levels of points of the unit cube `(n, k)`."""
        return np.minimum((points * self.counts).astype(np.int32), (self.counts - 1).astype(np.int32))

    # Proposals; no random number is drawn where nothing is searched

    def sample(self, rng: np.random.Generator, n: int) -> Levels:
        """Return ``n`` levels at random, uniform along each range."""
        if not self.names:
            return np.zeros((n, 0), np.int32)
        levels: Levels = rng.integers(0, self.counts, size=(n, len(self.names)), dtype=np.int32)
        return levels

    def moves(self, rng: np.random.Generator, levels: Levels) -> Levels:
        """Return levels `(n, k)` with one setting of each row moved, typically by 15 % of its range."""
        n = len(levels)
        at = rng.integers(len(self.names), size=n)
        last = self.counts[at] - 1
        steps = _STEP * last * rng.standard_normal(n)
        sizes = np.maximum(np.rint(np.abs(steps)), 1)
        here = levels[np.arange(n), at]
        there = here + np.where(steps < 0, -sizes, sizes)
        there = np.where((there < 0) | (there > last), 2 * here - there, there)  # turned round at the ends
        moved = levels.copy()
        moved[np.arange(n), at] = np.clip(there, 0, last)
        return moved


def _values_of(name: str, low: float, high: float) -> tuple[float, ...]:
    scale = SETTING_SCALES[name]
    if scale == "powers of two":
        return tuple(2**k for k in range((math.ceil(low) - 1).bit_length(), math.floor(high).bit_length()))
    if scale == "integers":
        n = min(int(high - low) + 1, _MOST_LEVELS)
        return tuple(np.rint(np.linspace(low, high, n)).astype(int).tolist())
    first, last = _transformed(name, [low, high]).tolist()
    places = np.linspace(first, last, _MOST_LEVELS)
    inner = _INVERSES[scale](places) if scale in _INVERSES else places
    # Twelve digits: a platform's exponential function shows in the sixteenth.
    return (float(low), *(float(f"{value:.12g}") for value in inner[1:-1].tolist()), float(high))


def _transformed(name: str, values: Sequence[float]) -> NDArray[np.float64]:
    """Return values on the scale of a setting."""
    numbers = np.asarray(values, np.float64)
    scale = SETTING_SCALES[name]
    if scale not in _TRANSFORMS:
        return np.log2(numbers) if scale == "powers of two" else numbers
    with np.errstate(divide="ignore"):  # a fixed decay of 0 lies below every range
        return _TRANSFORMS[scale](numbers)


TRAINING_PRESETS: Mapping[str, TrainingSpace] = {
    "default": TrainingSpace(learning_rate=(5e-4, 5e-2), learning_rate_decay=(1e-3, 1.0), batch_size=(128, 1024)),
    "orca": TrainingSpace(
        learning_rate=(1e-3, 1e-2),
        learning_rate_decay=(0.005, 0.95),
        batch_size=(16, 32),
        beta_1=(0.88, 0.92),
        beta_2=(0.9988, 0.9992),
        epsilon=(0.01, 1.0),
        dropout=(1e-3, 0.5),
    ),
    "orca-first": TrainingSpace(learning_rate=(1e-5, 1e-1), batch_size=(16, 32)),
    "lcm-cifar10": TrainingSpace(
        learning_rate=(1e-3, 1e-2),
        batch_size=(32, 512),
        epochs=(10, 40),
        beta_1=(0.85, 0.95),
        beta_2=(0.985, 0.995),
        epsilon=(1e-8, 5e-6),
        dropout=(0.1, 0.5),
    ),
    "lcm-mnist": TrainingSpace(learning_rate=(1e-4, 1.0), batch_size=(32, 512), epochs=(3, 6)),
    "magmadnn": TrainingSpace(learning_rate=(1e-4, 0.2), learning_rate_decay=(0.009, 1.0)),
}
"""Ranges by name.

``default``
    Our judgement: what matters most to small networks in a fixed number of epochs. Every further setting costs trials.
``orca``, ``orca-first``
    L. Hennig, "Automatic hyperparameter optimization for Graph Neural Networks" (2023): the second and the first search
    over ParticleNet-like networks for KM3NeT/ORCA. Its decay rates of 0.001 to 0.1 are read as the share that the
    learning rate loses in an epoch: 0.95 to 0.005 of it are left after 50. Left out: numbers of graph neighbours and of
    layers of its blocks, shortcuts, batch normalisation, whether there is a schedule, and the first search's dropout,
    whose range it does not name.
``lcm-cifar10``, ``lcm-mnist``
    C. Ouyang and D. McBride, "Neural Network Hyperparameter Optimization": the two searches with learning curve
    matching. Batch sizes are powers of two here. Left out: sizes, strides and dropout of convolutions; of MNIST the
    momentum and the decay of its stochastic gradient descent, whose learning rates from 0 to 1 begin at 0.0001 here.
``magmadnn``
    The same talk: population based training with MagmaDNN. Decay ratios of 0.99 to 1 every 20 steps leave 0.009 to 1 of
    the learning rate after its 5 epochs of 60,000 images in batches of 32. It sampled evenly; here the scale is
    logarithmic.

Two talks that stand beside these name no ranges of training settings, so there is no preset of them: F. Magniette, A.
Hakimi and J.-B. Sauvan, "Neural-network Topology Bayesian Optimization for HEP", search the topology alone, and P.
Balaprakash and M. Salim, "Hyperparameter Optimization and DeepHyper" (2020), compare search methods.
"""

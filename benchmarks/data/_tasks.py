"""The data sets that baselines are given for, and how a method is judged on one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import SUBSETS, Dataset, Split, load_hgcal, load_jets, read_dataset, split
from nas_fpga.training import SIGNAL_EFFICIENCY, GroupBootstrap, Interval, Merits, evaluate

SEED = 1

PILEUPS = (200, 0)
FEATURE_SETS = ("ce-e", "ce-e+ce-h")

Floats = NDArray[np.floating]


def load_digits() -> Dataset:
    """Return scikit-learn's 1,797 digits, each row a group of its own; pixels that never vary are dropped."""
    from sklearn import datasets

    digits = datasets.load_digits()
    data = read_dataset({"pixel": digits.data, "digit": digits.target}, target="digit")
    return replace(data, name="digits")


@dataclass(frozen=True)
class Task:
    """A data set by the names it has in the tables.

    Attributes:
        name: As in the tables.
        features: Which of its features.
        load: Returns it.
    """

    name: str
    features: str
    load: Callable[[], Dataset]


HGCAL = tuple(
    Task(f"hgcal, pile-up {pileup}", features, partial(load_hgcal, pileup, features))
    for pileup in PILEUPS
    for features in FEATURE_SETS
)
SEVERAL_CLASSES = (Task("jets", "16 high-level", load_jets), Task("digits", "61 pixels", load_digits))
TASKS = HGCAL + SEVERAL_CLASSES


def transformations(data: Dataset) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield what a linear model may see, by name: logarithms of calorimeter sums, other features as they are."""
    if data.name == "hgcal":
        for scale_mip in (1.0, 10.0, 100.0, 1000.0):
            yield f"log(1 + MIP/{scale_mip:g})", np.log1p(data.features / scale_mip, dtype=np.float64)
    else:
        yield "features as they are", data.features.astype(np.float64)


def balanced(data: Dataset, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return weights of all rows that give every class the same total among ``rows``, where their mean is 1."""
    share = np.bincount(data.labels[rows]) / len(rows)
    return (1 / data.n_classes / share)[data.labels]


@dataclass(frozen=True, eq=False)
class Judge:
    """Figures of merit of scores `(n,)` or logits `(n, k)` of all rows: every method meets the same resamples.

    Attributes:
        data: The rows.
        rows: Of the subsets.
        signal_efficiency: Of the working point of two classes, which validation sets and test meets.
        validation: Resamples of the groups of validation.
        test: Resamples of the groups of test.
    """

    data: Dataset
    rows: Split
    signal_efficiency: float
    validation: GroupBootstrap
    test: GroupBootstrap

    @classmethod
    def of(cls, data: Dataset, signal_efficiency: float = SIGNAL_EFFICIENCY) -> Self:
        """Return the judge of a data set under the seed of these benchmarks."""
        rows = split(data, SEED)
        bootstraps = (
            GroupBootstrap.of(
                data, rows[subset], seed=[SEED, SUBSETS.index(subset)], signal_efficiency=signal_efficiency
            )
            for subset in SUBSETS[1:]
        )
        return cls(data, rows, signal_efficiency, *bootstraps)

    def merits(self, scores: Floats) -> tuple[Merits, Merits]:
        """Return the merits on validation and, at its working points, on test."""
        validation, test = self.rows.validation, self.rows.test
        chosen = evaluate(self.data, validation, scores[validation], signal_efficiency=self.signal_efficiency)
        bins = {name: mask[test] for name, mask in self.data.bins.items()}
        if self.data.n_classes > 2:
            return chosen, evaluate(self.data, test, scores[test])
        return chosen, evaluate(self.data, test, scores[test], bins=bins, validation=chosen)

    def interval(self, scores: Floats) -> Interval:
        """Return the 95 % interval of :attr:`Merits.error` on test.

        For two classes each resample of validation sets the threshold of one of test.
        """
        thresholds = None if self.data.n_classes > 2 else self.validation.thresholds(scores[self.rows.validation])
        low, high = np.quantile(self.test.errors(scores[self.rows.test], thresholds), (0.025, 0.975))
        return float(low), float(high)

"""Seeded splits: stratified by class, never parting a group."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data._dataset import SUBSETS, Dataset, Split
from nas_fpga.errors import InputError


def split(dataset: Dataset, seed: int, fractions: tuple[float, float, float] = (0.6, 0.2, 0.2)) -> Split:
    """Divide the rows into train, validation and test; a data set that comes already split stays as it is.

    Groups are shuffled, stratified by their majority class (ties: the lower index), and each goes to the subset that
    is filled least of what it shall hold of that class, large groups first. The result depends on the arguments alone.

    Args:
        dataset: Labelled rows.
        seed: Of the shuffle.
        fractions: Shares of the rows for train, validation and test; positive, sum 1.

    Raises:
        InputError: The fractions are wrong, a class would be missing from a subset, or a given subset parts a group.
    """
    if len(fractions) != 3 or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-9:
        raise InputError(f"split fractions {fractions} must be three positive numbers of sum 1")
    if dataset.subset is not None:
        subset = dataset.subset
        _check_given(dataset, subset)
    else:
        subset = _draw(dataset, np.random.default_rng(seed), np.array(fractions))
    _check_classes(dataset, subset)
    train, validation, test = (np.flatnonzero(subset == i) for i in range(len(SUBSETS)))
    return Split(train, validation, test)


def _draw(dataset: Dataset, rng: np.random.Generator, fractions: NDArray[np.float64]) -> NDArray[np.int8]:
    """Return the subset of each row."""
    groups = np.unique(dataset.groups, return_inverse=True)[1]
    n_groups = int(groups.max()) + 1
    rows_by_class = np.zeros((n_groups, dataset.n_classes), dtype=np.int64)
    np.add.at(rows_by_class, (groups, dataset.labels), 1)
    majority = rows_by_class.argmax(axis=1)
    sizes = rows_by_class.sum(axis=1)
    subset_of_group = np.zeros(n_groups, dtype=np.int8)
    for label in range(dataset.n_classes):
        order = rng.permutation(np.flatnonzero(majority == label))
        order = order[np.argsort(-sizes[order], kind="stable")]
        shares = 1 / fractions
        filled = [0.0] * len(SUBSETS)
        for group in order:
            least = min(range(len(SUBSETS)), key=filled.__getitem__)
            filled[least] += float(sizes[group] * shares[least])
            subset_of_group[group] = least
    return subset_of_group[groups]


def _check_given(dataset: Dataset, subset: NDArray[np.int8]) -> None:
    if subset.min() < 0 or subset.max() >= len(SUBSETS):
        raise InputError(
            f"{dataset.name}: subset {subset.min()}..{subset.max()} must be 0, 1 or 2 ({', '.join(SUBSETS)})"
        )
    order = np.lexsort((subset, dataset.groups))
    groups, subsets = dataset.groups[order], subset[order]
    parted = groups[1:][(groups[1:] == groups[:-1]) & (subsets[1:] != subsets[:-1])]
    if len(parted):
        raise InputError(f"{dataset.name}: group {parted[0]} has rows in two subsets; put all rows of a group in one")


def _check_classes(dataset: Dataset, subset: NDArray[np.int8]) -> None:
    """Refuse a split in which a figure of merit would have nothing to count."""
    counts = dataset.counted & (dataset.weights > 0)
    for i, name in enumerate(SUBSETS):
        present = np.bincount(dataset.labels[counts & (subset == i)], minlength=dataset.n_classes)
        if not present.all():
            missing = dataset.class_names[int(present.argmin())]
            n_groups = len(np.unique(dataset.groups[dataset.labels == dataset.class_names.index(missing)]))
            cure = "give more rows or groups of that class"
            raise InputError(
                f"{dataset.name}: no row of class '{missing}' in {name}, it has {n_groups} groups in all; {cure}"
            )

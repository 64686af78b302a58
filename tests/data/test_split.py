from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from nas_fpga.data import SUBSETS, Dataset, split
from nas_fpga.errors import InputError


def dataset(labels: np.ndarray, groups: np.ndarray | None = None) -> Dataset:
    n = len(labels)
    return Dataset(
        name="toy",
        features=np.arange(n, dtype=np.float32)[:, None],
        labels=labels.astype(np.int64),
        class_names=tuple(f"c{i}" for i in range(labels.max() + 1)),
        feature_names=("x",),
        feature_units=("",),
        weights=np.ones(n),
        groups=np.arange(n) if groups is None else groups.astype(np.int64),
        counted=np.ones(n, dtype=bool),
    )


def test_ungrouped_fractions_are_exact_in_every_class() -> None:
    labels = np.repeat([0, 1, 2], [1000, 100, 10])
    parts = split(dataset(labels), seed=3)
    for subset, share in zip(SUBSETS, (0.6, 0.2, 0.2), strict=True):
        assert_array_equal(np.bincount(labels[parts[subset]]), np.rint(share * np.array([1000, 100, 10])))
    assert_array_equal(np.sort(np.concatenate([parts[s] for s in SUBSETS])), np.arange(1110))
    assert (np.diff(parts.train) > 0).all()


def test_depends_on_the_seed_alone() -> None:
    data = dataset(np.arange(500) % 2)
    assert_array_equal(split(data, seed=1).test, split(data, seed=1).test)
    assert not np.array_equal(split(data, seed=1).test, split(data, seed=2).test)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_groups_never_part_and_shares_are_near(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 9), min_size=40, max_size=120))
    n_classes = data.draw(st.integers(2, 4))
    groups = np.repeat(np.arange(len(sizes)), sizes)
    labels = groups % n_classes
    order = np.random.default_rng(data.draw(st.integers(0, 99))).permutation(len(groups))
    groups, labels = groups[order], labels[order]
    parts = split(dataset(labels, groups), seed=data.draw(st.integers(0, 99)))
    assert_array_equal(np.sort(np.concatenate([parts[s] for s in SUBSETS])), np.arange(len(groups)))
    members = [set(groups[parts[s]]) for s in SUBSETS]
    assert sum(map(len, members)) == len(set(groups))
    for label in range(n_classes):
        n = int((labels == label).sum())
        for subset, share in zip(SUBSETS, (0.6, 0.2, 0.2), strict=True):
            # a subset is given a group only while it is the least filled: it ends within one largest group
            assert abs((labels[parts[subset]] == label).sum() - share * n) <= 9


def test_mixed_groups_are_stratified_by_their_majority() -> None:
    groups = np.repeat(np.arange(100), 10)
    majority = np.arange(100) % 2
    labels = np.where(np.arange(1000) % 10 < 7, majority[groups], 1 - majority[groups])
    parts = split(dataset(labels, groups), seed=0)
    assert np.bincount(majority[np.unique(groups[parts.test])]).tolist() == [10, 10]


def test_a_given_subset_stays() -> None:
    subset = (np.arange(90) % 3).astype(np.int8)
    parts = split(replace(dataset(np.arange(90) // 45), subset=subset), seed=5)
    for i, name in enumerate(SUBSETS):
        assert_array_equal(parts[name], np.flatnonzero(subset == i))


class TestRefused:
    @pytest.mark.parametrize("fractions", [(0.5, 0.5, 0.5), (1.0, 0.0, 0.0), (0.9, 0.1), (1.2, -0.1, -0.1)])
    def test_fractions(self, fractions: tuple[float, float, float]) -> None:
        with pytest.raises(InputError, match=r"split fractions .* must be three positive numbers of sum 1"):
            split(dataset(np.arange(90) % 2), seed=0, fractions=fractions)

    def test_too_few_groups(self) -> None:
        labels = np.repeat([0, 1], [60, 30])
        groups = np.concatenate([np.arange(60), 100 + np.arange(30) % 2])
        with pytest.raises(InputError, match="toy: no row of class 'c1' in test, it has 2 groups in all"):
            split(dataset(labels, groups), seed=0)

    def test_a_class_that_does_not_count(self) -> None:
        labels = np.arange(90) % 2
        with pytest.raises(InputError, match="no row of class 'c1' in train"):
            split(replace(dataset(labels), counted=labels == 0), seed=0)
        with pytest.raises(InputError, match="no row of class 'c0' in train"):
            split(replace(dataset(labels), weights=labels.astype(float)), seed=0)

    def test_a_given_subset_that_parts_a_group(self) -> None:
        subset = (np.arange(90) % 3).astype(np.int8)
        data = replace(dataset(np.arange(90) // 45, np.arange(90) // 3), subset=subset)
        with pytest.raises(InputError, match="group 0 has rows in two subsets"):
            split(data, seed=0)

    def test_a_given_subset_out_of_range(self) -> None:
        data = replace(dataset(np.arange(90) // 45), subset=(np.arange(90) % 4).astype(np.int8))
        with pytest.raises(InputError, match=r"subset 0\.\.3 must be 0, 1 or 2"):
            split(data, seed=0)

"""Arithmetic of comparisons, on numbers that can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nas_fpga.comparison import first_at_least, first_at_most, over_seconds, over_trials, variance_ratio


def test_quartiles_over_seeds_after_each_trial() -> None:
    band = over_trials([np.array([1.0, 0.5, 0.2]), np.array([0.9, 0.9, 0.4]), np.array([0.8, 0.1, 0.1])])
    np.testing.assert_array_equal(band.at, [1, 2, 3])
    np.testing.assert_allclose(band.median, [0.9, 0.5, 0.2])
    np.testing.assert_allclose(band.low, [0.85, 0.3, 0.15])  # halfway between the two lower of three
    np.testing.assert_allclose(band.high, [0.95, 0.7, 0.3])


def test_a_search_that_ended_sooner_stays_as_it_ended() -> None:
    band = over_trials([np.array([0.8, 0.5]), np.array([0.9, 0.7, 0.1])])
    np.testing.assert_allclose(band.median, [0.85, 0.6, 0.3])


def test_quartiles_at_every_time_that_one_search_changed() -> None:
    band = over_seconds(
        [np.array([2.0, 5.0]), np.array([3.0, 4.0])], [np.array([0.6, 0.2]), np.array([0.8, 0.4])], start=1.0
    )
    np.testing.assert_array_equal(band.at, [0, 2, 3, 4, 5])
    np.testing.assert_allclose(
        band.median, [1.0, 0.8, 0.7, 0.5, 0.3]
    )  # of (1, 1), (.6, 1), (.6, .8), (.6, .4), (.2, .4)


def test_first_trial_that_reaches_a_target() -> None:
    falls = np.array([0.5, 0.3, 0.3, 0.1])
    assert first_at_most(falls, 0.6) == 1
    assert first_at_most(falls, 0.3) == 2
    assert first_at_most(falls, 0.2) == 4
    assert first_at_most(falls, 0.05) is None
    assert first_at_least(1 - falls, 0.9) == 4
    assert first_at_least(1 - falls, 0.91) is None


class TestVarianceRatio:
    def test_by_hand(self) -> None:
        found = variance_ratio(np.array([0.0, 2.0, 4.0]), np.array([[0.0, 1.0], [2.0, 3.0]]))
        assert found.within == pytest.approx(0.5)  # of two that differ by 1
        assert found.between == pytest.approx(4 - 0.5)
        assert found.ratio == pytest.approx(7)
        assert (found.n_candidates, found.n_repeated) == (3, 2)

    def test_no_noise_and_nothing_but_noise(self) -> None:
        assert variance_ratio(np.array([0.0, 1.0]), np.array([[1.0, 1.0]])).ratio == math.inf
        assert variance_ratio(np.array([0.0, 1.0]), np.array([[0.0, 4.0]])).ratio == 0

    @pytest.mark.parametrize("value", [1.0, 0.3, 1e6 / 3])
    def test_nothing_differs(self, value: float) -> None:
        found = variance_ratio(np.full(10, value), np.full((5, 2), value))
        assert (found.between, found.within, found.ratio, found.interval) == (0, 0, 0, (0, 0))

    def test_finds_the_variances_it_is_given(self) -> None:
        rng = np.random.default_rng(0)
        means = rng.normal(0, 3, 4000)
        trained = means[:, None] + rng.normal(0, 1, (4000, 2))
        found = variance_ratio(trained[:, 0], trained)
        assert found.within == pytest.approx(1, abs=0.1)  # standard error 0.02
        assert found.between == pytest.approx(9, abs=1)  # standard error 0.2
        low, high = found.interval
        assert low < 9 < high
        assert high - low < 2  # 3.9 standard errors: .3 with 4,000 of each

    def test_the_interval_holds_the_ratio_as_often_as_it_says(self) -> None:
        rng = np.random.default_rng(1)
        held = 0
        for _ in range(200):
            means = rng.normal(0, 2, 300)
            trained = means[:, None] + rng.normal(0, 1, (300, 2))
            low, high = variance_ratio(trained[:, 0], trained[:60]).interval
            held += low <= 4 <= high
        assert 176 <= held <= 200  # a little narrow: .933 over 1,000 of these

    def test_the_interval_says_that_two_points_say_little(self) -> None:
        low, high = variance_ratio(np.array([0.0, 2.0, 4.0]), np.array([[0.0, 1.0], [2.0, 3.0]])).interval
        assert low == 0  # all three draws alike
        assert high == pytest.approx((16 * 2 / 3 / 2 - 0.5) / 0.5)  # two of an end and one of the other

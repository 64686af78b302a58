from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from nas_fpga.data import Dataset
from nas_fpga.errors import InputError
from nas_fpga.training import (
    GroupBootstrap,
    background_efficiency,
    difference_interval,
    error_rate,
    ratio_interval,
    working_point,
)


def toy(seed: int = 0, n: int = 120, n_classes: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Groups of one to five rows, labels, weights of which some are 0, and scores with ties."""
    rng = np.random.default_rng(seed)
    groups = np.sort(rng.integers(0, 40, n)) * 3 + 5
    labels = groups // 3 % n_classes
    weights = rng.uniform(0.5, 2, n) * (rng.random(n) < 0.9)
    order = rng.permutation(n)
    scores = np.round(rng.normal(size=n) + labels, 1)
    return groups[order], labels[order], weights[order], scores[order]


def multiplicities(bootstrap: GroupBootstrap, groups: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """How many times each resample has each row `(n_resamples, n)`; the brute-force loops weigh rows by it."""
    known = np.unique(groups[weights > 0])
    return bootstrap._times[:, np.searchsorted(known, groups)] * (weights > 0)


class TestAgainstALoop:
    @pytest.mark.parametrize("seed", range(5))
    def test_background_efficiency(self, seed: int) -> None:
        groups, labels, weights, scores = toy(seed)
        bootstrap = GroupBootstrap(groups, labels, weights, seed=seed, n_resamples=200)
        times = multiplicities(bootstrap, groups, weights)
        thresholds = bootstrap.thresholds(scores)
        errors = bootstrap.errors(scores)
        for r in range(200):
            threshold = working_point(scores, labels == 1, weights * times[r])
            assert thresholds[r] == threshold
            expected = background_efficiency(scores, labels == 1, weights * times[r], threshold)
            assert errors[r] == pytest.approx(expected, abs=1e-12)

    @pytest.mark.parametrize("weight", [1.0, 0.1, 1 / 3])
    def test_the_last_bit_of_a_product_moves_no_row(self, weight: float) -> None:
        labels, scores = np.arange(120) % 2, np.random.default_rng(0).normal(size=120)
        bootstrap = GroupBootstrap(np.arange(120), labels, np.full(120, weight), seed=0, n_resamples=200)
        passing = (scores >= bootstrap.thresholds(scores)[:, None]) & (labels == 1)
        above = (scores > bootstrap.thresholds(scores)[:, None]) & (labels == 1)
        assert ((passing * bootstrap._times).sum(axis=1) >= 57).all()  # .95 of 60 rows, not 58
        assert ((above * bootstrap._times).sum(axis=1) < 57).all()

    def test_threshold_of_another_subset(self) -> None:
        validation, test = toy(1), toy(2)
        on_validation = GroupBootstrap(*validation[:3], seed=1, n_resamples=200)
        on_test = GroupBootstrap(*test[:3], seed=2, n_resamples=200)
        errors = on_test.errors(test[3], on_validation.thresholds(validation[3]))
        times_v, times_t = (multiplicities(b, d[0], d[2]) for b, d in ((on_validation, validation), (on_test, test)))
        for r in range(200):
            threshold = working_point(validation[3], validation[1] == 1, validation[2] * times_v[r])
            expected = background_efficiency(test[3], test[1] == 1, test[2] * times_t[r], threshold)
            assert errors[r] == pytest.approx(expected, abs=1e-12)

    def test_error_rate_of_several_classes(self) -> None:
        groups, labels, weights, _ = toy(3, n_classes=3)
        logits = np.random.default_rng(0).normal(size=(len(labels), 3))
        bootstrap = GroupBootstrap(groups, labels, weights, seed=3, n_resamples=100)
        times = multiplicities(bootstrap, groups, weights)
        expected = [error_rate(logits, labels, weights * times[r]) for r in range(100)]
        assert_allclose(bootstrap.errors(logits), expected, atol=1e-12)

    def test_blocks_change_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        groups, labels, weights, scores = toy(4)
        whole = GroupBootstrap(groups, labels, weights, seed=4, n_resamples=50).errors(scores)
        monkeypatch.setattr("nas_fpga.training._bootstrap._ELEMENTS_AT_ONCE", 300)
        assert_array_equal(GroupBootstrap(groups, labels, weights, seed=4, n_resamples=50).errors(scores), whole)


class TestResamples:
    def test_every_class_keeps_its_number_of_groups(self) -> None:
        groups, labels, weights, _ = toy(0)
        times = GroupBootstrap(groups, labels, weights, seed=0)._times
        of_group = np.array([g // 3 % 2 for g in np.unique(groups[weights > 0])])
        for label in (0, 1):
            assert (times[:, of_group == label].sum(axis=1) == (of_group == label).sum()).all()

    def test_multiplicities_are_multinomial(self) -> None:
        labels = np.repeat([0, 1], [300, 100])
        times = GroupBootstrap(np.arange(400), labels, np.ones(400), seed=0)._times
        assert times.mean() == pytest.approx(1.0)
        # variance 1 - 1/n of 300,000 counts: its standard error is about sqrt(3 / 300,000) = .003
        assert times[:, :300].var() == pytest.approx(1 - 1 / 300, abs=0.012)

    def test_depends_on_the_seed_alone(self) -> None:
        groups, labels, weights, scores = toy(0)
        one, same, other = (GroupBootstrap(groups, labels, weights, seed=s).errors(scores) for s in (1, 1, 2))
        assert_array_equal(one, same)
        assert not np.array_equal(one, other)

    def test_equal_networks_differ_by_nothing(self) -> None:
        groups, labels, weights, scores = toy(0)
        bootstrap = GroupBootstrap(groups, labels, weights, seed=1)
        a, b = bootstrap.errors(scores), bootstrap.errors(3 * scores + 1)
        assert difference_interval(a, b) == (0.0, 0.0)
        assert ratio_interval(a, b) == (1.0, 1.0)

    def test_of_a_data_set_only_counted_rows(self) -> None:
        groups, labels, weights, scores = toy(0)
        counted = np.arange(120) % 4 > 0
        data = Dataset(
            name="toy",
            features=np.zeros((120, 1), np.float32),
            labels=labels,
            class_names=("a", "b"),
            feature_names=("x",),
            feature_units=("",),
            weights=weights,
            groups=groups,
            counted=counted,
        )
        rows = np.arange(20, 120)
        kept = rows[counted[rows]]
        whole = GroupBootstrap.of(data, rows, seed=1).errors(scores[rows])
        assert_array_equal(
            whole, GroupBootstrap(groups[kept], labels[kept], weights[kept], seed=1).errors(scores[kept])
        )

    def test_column_of_scores(self) -> None:
        groups, labels, weights, scores = toy(0)
        bootstrap = GroupBootstrap(groups, labels, weights, seed=1)
        assert_array_equal(bootstrap.errors(scores[:, None]), bootstrap.errors(scores))

    def test_nothing_passing_is_an_error_of_zero(self) -> None:
        labels = np.arange(60) % 2
        bootstrap = GroupBootstrap(np.arange(60), labels, np.ones(60), seed=0)
        assert_array_equal(bootstrap.errors(labels.astype(float)), np.zeros(1000))

    def test_a_class_whose_groups_are_alone_in_their_stratum_is_constant(self) -> None:
        labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
        scores = np.arange(8.0)
        of_one = GroupBootstrap(labels, labels, np.ones(8), seed=0)
        assert of_one.constant_classes == (0, 1)
        assert np.ptp(of_one.errors(scores)) == 0
        assert GroupBootstrap(np.array([0, 0, 1, 1, 2, 2, 2, 2]), labels, np.ones(8), seed=0).constant_classes == (1,)
        three = GroupBootstrap(labels, np.array([0, 0, 0, 2, 1, 1, 1, 2]), np.ones(8), seed=0)
        assert three.constant_classes == (0, 1, 2)  # two groups hold the last, one of each other class

    def test_groups_of_another_class_let_a_class_vary(self) -> None:
        groups = np.repeat(np.arange(30), 3)
        assert GroupBootstrap(groups, np.tile([0, 0, 1], 30), np.ones(90), seed=0).constant_classes == ()

    def test_refused(self) -> None:
        groups, labels, weights, scores = toy(0)
        with pytest.raises(InputError, match="0 groups are too few to resample 2 classes"):
            GroupBootstrap(groups, labels, 0 * weights, seed=0)
        with pytest.raises(InputError, match="groups are too few to resample 2 classes; give more groups"):
            GroupBootstrap(groups, labels, weights * (labels == 1), seed=0)
        bootstrap = GroupBootstrap(groups, labels, weights, seed=0, n_resamples=3)
        with pytest.raises(ValueError, match="expected one for each of 120 rows"):
            bootstrap.errors(scores[1:])
        with pytest.raises(ValueError, match="120 scores are not finite"):
            bootstrap.errors(np.full(120, np.nan))


class TestIntervals:
    def test_ends_are_outer_replicates(self) -> None:
        replicates = np.arange(100.0)
        assert difference_interval(replicates, np.zeros(100), level=0.9) == (4.0, 95.0)

    def test_ratios_with_zero(self) -> None:
        assert ratio_interval(np.array([0.0, 1.0, 2.0]), np.array([0.0, 0.0, 1.0])) == (1.0, np.inf)

    @pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
    def test_level_out_of_range(self, level: float) -> None:
        with pytest.raises(ValueError, match="must be between 0 and 1"):
            difference_interval(np.zeros(3), np.zeros(3), level)


class TestCoverage:
    """Gaussian scores, of which the truth is known: signal at `shift`, the working point 1.645 below it."""

    shift = 2.5
    truth = float(norm.sf(shift + norm.ppf(0.05)))
    n_trials = 150

    def showers(self, rng: np.random.Generator, n_groups: int, overlays: int) -> tuple[np.ndarray, ...]:
        """Rows that are alike within a shower: its score, and a tenth of noise in variance."""
        labels = np.arange(n_groups) % 2
        shower = rng.normal(size=n_groups) * np.sqrt(0.9) + self.shift * labels
        groups = np.repeat(np.arange(n_groups), overlays)
        noise = rng.normal(size=(2, len(groups))) * np.sqrt(0.1)
        return groups, labels[groups], np.ones(len(groups)), shower[groups] + noise[0], shower[groups] + noise[1]

    def covered(self, by_group: bool) -> tuple[float, float, float]:
        rng = np.random.default_rng(7)
        hits = np.zeros(3)
        for trial in range(self.n_trials):
            groups, labels, weights, a, b = self.showers(rng, 800, 3)
            if not by_group:
                groups = np.arange(len(groups))
            bootstrap = GroupBootstrap(groups, labels, weights, seed=trial, n_resamples=300)
            errors_a, errors_b = bootstrap.errors(a), bootstrap.errors(b)
            low, high = difference_interval(errors_a, np.zeros(300))
            hits[0] += low <= self.truth <= high
            low, high = difference_interval(errors_a, errors_b)  # both networks are as good
            hits[1] += low <= 0 <= high
            low, high = ratio_interval(errors_a, errors_b)
            hits[2] += low <= 1 <= high
        return tuple(hits / self.n_trials)

    def test_of_groups(self) -> None:
        # binomial standard error of 150 trials at .95: .018
        for coverage in self.covered(by_group=True):
            assert 0.90 <= coverage <= 1.0

    def test_rows_alone_would_be_too_narrow(self) -> None:
        assert self.covered(by_group=False)[0] < 0.85


def test_few_distinct_scores_take_little_memory() -> None:
    """All resamples may have the same working point: a network of few bits has few logits."""
    n = 20_000
    labels, scores = np.arange(n) % 2, np.random.default_rng(0).integers(4, size=n).astype(np.float64)
    bootstrap = GroupBootstrap(np.arange(n), labels, np.ones(n), seed=0)
    thresholds = bootstrap.thresholds(scores)
    assert len(np.unique(thresholds)) == 1
    tracemalloc.start()
    errors = bootstrap.errors(scores, thresholds)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80e6  # all resamples at once took 200
    passing = (scores >= thresholds[0]) & (labels == 0)
    assert_allclose(errors, bootstrap._times @ passing.astype(np.float64) / (n / 2), rtol=1e-12)

"""Numbers against closed forms, and planted functions found again."""

import numpy as np
import pytest
import sklearn.ensemble
from scipy.stats import spearmanr

from nas_fpga.explanation import FEWEST, Descriptor, explain, rank_correlations
from nas_fpga.explanation._resamples import Measured, folds, measure
from tests.explanation.planted import PARTS, candidates, findings, planted


class TestFolds:
    groups = np.repeat(np.arange(23), np.arange(23) % 3 + 1)

    def test_trainings_of_a_candidate_stay_together(self):
        for fitted, held_out in folds(self.groups, np.random.default_rng(0)):
            assert not set(self.groups[fitted]) & set(self.groups[held_out])
            assert sorted([*fitted, *held_out]) == list(range(len(self.groups)))

    def test_every_row_is_held_out_once_a_repetition(self):
        held_out = [rows for _, rows in folds(self.groups, np.random.default_rng(0))]
        assert len(held_out) == 25
        for first in range(0, 25, 5):
            assert sorted(np.concatenate(held_out[first : first + 5])) == list(range(len(self.groups)))
        assert {len(set(self.groups[rows])) for rows in held_out} == {4, 5}


def test_interval_is_that_of_nadeau_and_bengio():
    mean, low, high = measure(np.array([[1.0], [3.0]]), np.ones(2))
    margin = 12.706204736 * np.sqrt((1 / 2 + 1 / 4) * 2)  # Student's t of one degree of freedom, variance 2
    assert (mean[0], low[0], high[0]) == pytest.approx((2, 2 - margin, 2 + margin))
    assert measure(np.array([1.0, 3.0]), np.array([3.0, 1.0]))[0] == 1.5


def test_percentages_have_two_digits_and_no_minus_at_0():
    assert f"{Measured(0.314, 0.242, 0.38):%}" == "31 % [24, 38]"
    assert f"{Measured(0.0, -0.0004, 0.0996):%}" == "0.0 % [0.0, 10]"
    assert f"{Measured(0.004, -0.0123, 0.02):%}" == "0.4 % [-1.2, 2.0]"


def test_rank_correlations_are_spearmans():
    values = np.random.default_rng(0).integers(0, 6, size=(40, 4)).astype(float)
    np.testing.assert_allclose(rank_correlations(values), spearmanr(values).statistic, atol=1e-12)
    values[:, 2] = 7
    np.testing.assert_array_equal(rank_correlations(values)[2], [0, 0, 1, 0])


class FirstColumn:
    """A model that knows: the target is the first column and noise."""

    def __init__(self, *_, **__):
        pass

    def fit(self, x, y):
        return self

    def predict(self, x):
        return x[:, 0]


class TestClosedForm:
    n = 400
    descriptors = (Descriptor("a", "a", "a"), Descriptor("b", "bc", "b", whole=True), Descriptor("c", "bc", "c"))

    @pytest.fixture
    def explanation(self, monkeypatch):
        monkeypatch.setattr(sklearn.ensemble, "ExtraTreesRegressor", FirstColumn)
        rng = np.random.default_rng(1)
        self.values = np.column_stack([rng.normal(size=self.n), rng.integers(0, 3, self.n), rng.normal(size=self.n)])
        self.targets = self.values[:, 0] + 0.5 * rng.normal(size=self.n)
        return explain("t", self.values, self.descriptors, self.targets, np.arange(self.n), np.random.default_rng(2))

    def test_quality(self, explanation):
        error = ((self.targets - self.values[:, 0]) ** 2).mean()
        assert explanation.quality.r_squared.value == pytest.approx(1 - error / self.targets.var(), abs=1e-12)
        expected = spearmanr(self.targets, self.values[:, 0]).statistic
        assert explanation.quality.rank_correlation == pytest.approx(expected, abs=1e-12)
        assert (explanation.quality.n_trainings, explanation.quality.n_candidates) == (400, 400)
        assert explanation.quality.ceiling is None

    def test_importance_is_the_part_of_the_variance(self, explanation):
        first, second = explanation.importances
        assert (first.group, second.group) == ("a", "bc")
        part = self.values[:, 0].var() / self.targets.var()
        assert first.of_variance.value == pytest.approx(part, abs=0.04)  # the standard error of 4 shuffles is .02
        assert first.is_clear
        assert second.of_variance == Measured(0, 0, 0)
        assert not second.is_clear

    def test_partial_dependence(self, explanation):
        first, second, third = explanation.dependences
        np.testing.assert_allclose(first.mean, first.places)
        np.testing.assert_allclose(first.low, first.high)
        assert second.places.tolist() == [0, 1, 2]
        assert len(third.places) == 12
        assert set(third.places) <= set(self.values[:, 2])
        assert third.mean == pytest.approx(np.full(12, self.values[:, 0].mean()), abs=0.1)  # over 64 rows a fold
        assert (third.low < third.mean).all()
        assert (third.mean < third.high).all()


def test_no_more_than_all_is_explained(monkeypatch):
    monkeypatch.setattr(sklearn.ensemble, "ExtraTreesRegressor", FirstColumn)
    first = np.arange(30.0)
    targets = np.where(first == 7, first + 8, first)  # the fold with the 8th has all of the error
    found = explain("t", first[:, None], [Descriptor("a", "a", "a")], targets, np.arange(30), np.random.default_rng(0))
    r_squared = found.quality.r_squared
    assert r_squared.high == 1
    assert 0 < r_squared.low < r_squared.value < 1


def test_scatter_of_repeated_trainings_is_the_ceiling():
    candidates = np.repeat(np.arange(30), 2)
    targets = np.repeat(np.arange(30.0), 2) + np.tile([-1, 1], 30)
    values = np.repeat(np.arange(30.0), 2)[:, None]
    found = explain("t", values, [Descriptor("a", "a", "a")], targets, candidates, np.random.default_rng(0))
    assert found.quality.ceiling == pytest.approx(1 - 2 / targets.var(ddof=1))
    assert (found.quality.n_trainings, found.quality.n_candidates) == (60, 30)


class TestPlanted:
    @pytest.fixture(scope="class")
    def found(self):
        of = candidates(150, 3)
        return findings(of, planted(of, 3), np.random.default_rng(4).normal(size=150) - 2)

    def test_order_with_margins(self, found):
        parts = {one.group: one.of_variance for one in found.error.importances}
        first, second, third = PARTS
        assert list(parts)[:3] == [first, second, third]
        assert parts[first].low > parts[second].value
        assert parts[second].low > parts[third].value
        others = [part for group, part in parts.items() if group not in PARTS]
        assert parts[third].low > max(part.high for part in others)

    def test_parts_are_those_of_the_variance(self, found):
        whole = sum(effect**2 for effect in PARTS.values()) + 0.2**2
        for one in found.error.importances:
            expected = PARTS.get(one.group, 0) ** 2 / whole
            assert one.of_variance.low - 0.1 < expected < one.of_variance.high + 0.1  # trees are drawn to the mean

    def test_what_has_no_effect_is_not_told_from_0(self, found):
        unclear = {one.group for one in found.error.importances if not one.is_clear}
        assert unclear == {"depth", "shape", "weight bits", "learning rate"}
        for one in found.error.importances:
            if one.group in unclear:
                assert one.of_variance.value < 0.01

    def test_curves_go_the_planted_way(self, found):
        curves = {curve.descriptor.name: curve for curve in found.error.dependences}
        for name, effect in PARTS.items():
            rise = curves[name].mean[-1] - curves[name].mean[0]
            assert np.sign(rise) == np.sign(effect)
            assert abs(rise) > 1.5 * abs(effect)  # the ends are about three standard deviations apart
        assert np.ptp(curves["weight bits"].mean) < 0.2

    def test_noise_is_no_conclusion(self, found):
        assert found.resources.verdict.startswith(
            "no conclusion: what is known of candidates does not predict log10 share, R2 -0."
        )
        assert found.resources.quality.r_squared.low < 0
        assert found.resources.importances == ()
        assert found.resources.dependences == ()


def test_same_seed_same_numbers():
    of = candidates(30, 1)
    one, two, other = (findings(of, planted(of, 1), planted(of, 2), seed) for seed in (5, 5, 6))
    assert one.csv() == two.csv()
    assert one.csv() != other.csv()


@pytest.mark.parametrize(
    ("n", "constant", "words"),
    [
        (FEWEST - 1, False, "no conclusion: 19 trained candidates are too few, it takes 20"),
        (0, False, "no conclusion: 0 trained candidates are too few"),
        (FEWEST, True, "no conclusion: all targets are equal"),
    ],
)
def test_too_little_to_conclude_from(n, constant, words):
    rng = np.random.default_rng(0)
    targets = np.full(n, -0.3) if constant else rng.normal(size=n)
    found = explain("t", rng.normal(size=(n, 1)), [Descriptor("a", "a", "a")], targets, np.arange(n), rng)
    assert found.verdict.startswith(words)
    assert found.quality is None
    assert found.importances == ()

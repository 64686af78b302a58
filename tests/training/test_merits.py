from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp, softmax
from sklearn import metrics

from nas_fpga.data import Dataset
from nas_fpga.training import (
    Merits,
    accuracy,
    average_precision,
    background_efficiency,
    error_rate,
    evaluate,
    evaluate_binary,
    evaluate_multiclass,
    per_class_auc,
    predicted_classes,
    roc_auc,
    roc_curve,
    smooth_log10_background_efficiency,
    working_point,
)
from nas_fpga.training._merits import class_scores

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


@st.composite
def rows(draw: st.DrawFn, n_scores: int = 8) -> Rows:
    """Scores with many ties, both classes, integer weights (sums are exact) of which some are 0."""
    n = draw(st.integers(4, 60))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    is_signal = rng.random(n) < 0.5
    is_signal[:2] = True, False
    weights = rng.integers(0, 5, n).astype(float)
    weights[:2] = 1, 2
    return rng.integers(0, n_scores, n) / 4, is_signal, weights


def slow_working_point(scores: np.ndarray, is_signal: np.ndarray, weights: np.ndarray, efficiency: float) -> float:
    """The definition, word for word."""
    total = weights[is_signal].sum()
    reached = [t for t in set(scores) if weights[is_signal & (scores >= t)].sum() >= efficiency * total - 1e-9]
    return max(reached)


class TestWorkingPoint:
    @given(rows(), st.sampled_from([0.05, 0.5, 0.9, 0.95, 1.0]))
    @settings(max_examples=300, deadline=None)
    def test_is_what_the_definition_says(self, data: Rows, efficiency: float) -> None:
        scores, is_signal, weights = data
        threshold = working_point(scores, is_signal, weights, efficiency)
        assert threshold == slow_working_point(scores, is_signal, weights, efficiency)
        assert threshold in scores[is_signal & (weights > 0)]

    @pytest.mark.parametrize("n", [20, 40, 60, 100, 180, 620, 1000, 2000])
    def test_the_last_bit_of_a_product_moves_no_row(self, n: int) -> None:
        # 0.95 n is a whole number here: exactly that many rows pass
        scores = np.arange(n + 1.0)
        is_signal = np.arange(n + 1) < n
        for weight in (1.0, 0.1, 1 / 3):
            threshold = working_point(scores, is_signal, np.full(n + 1, weight))
            assert np.count_nonzero(scores[:n] >= threshold) == round(0.95 * n)

    def test_ties_are_never_split(self) -> None:
        scores = np.array([3.0, 2, 2, 2, 2, 1, 2, 0])
        is_signal = np.array([1, 1, 1, 1, 1, 0, 0, 0], dtype=bool)
        assert working_point(scores, is_signal, np.ones(8), 0.4) == 2.0
        assert background_efficiency(scores, is_signal, np.ones(8), 2.0) == pytest.approx(1 / 3)

    @pytest.mark.parametrize("efficiency", [0.0, -0.1, 1.1])
    def test_refuses_an_efficiency_out_of_range(self, efficiency: float) -> None:
        with pytest.raises(ValueError, match="must be above 0 and at most 1"):
            working_point(np.arange(2.0), np.array([True, False]), np.ones(2), efficiency)

    @pytest.mark.parametrize(
        ("scores", "is_signal", "weights", "message"),
        [
            ([np.nan, 0.0], [True, False], [1.0, 1.0], "1 scores are not finite"),
            ([1.0, 0.0], [True, True], [1.0, 1.0], "signal and background both need rows"),
            ([1.0, 0.0], [True, False], [1.0, 0.0], "signal and background both need rows"),
            ([1.0], [True, False], [1.0, 0.0], "must be one length"),
            ([], [], [], "signal and background both need rows"),
        ],
    )
    def test_refuses_what_has_no_answer(
        self, scores: list[float], is_signal: list[bool], weights: list[float], message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            working_point(np.array(scores), np.array(is_signal, dtype=bool), np.array(weights))


class TestAreas:
    @given(rows())
    @settings(max_examples=200, deadline=None)
    def test_equal_to_scikit_learn(self, data: Rows) -> None:
        scores, is_signal, weights = data
        assert roc_auc(*data) == pytest.approx(
            metrics.roc_auc_score(is_signal, scores, sample_weight=weights), abs=1e-12
        )
        expected = metrics.average_precision_score(is_signal, scores, sample_weight=weights)
        assert average_precision(*data) == pytest.approx(expected, abs=1e-12)

    @given(rows())
    @settings(deadline=None)
    def test_curve_equal_to_scikit_learn(self, data: Rows) -> None:
        scores, is_signal, weights = data
        curve = roc_curve(*data)
        fpr, tpr, thresholds = metrics.roc_curve(is_signal, scores, sample_weight=weights, drop_intermediate=False)
        kept = np.isin(curve.thresholds, thresholds)  # scikit-learn leaves out scores that only rows of weight 0 have
        assert_array_equal(curve.thresholds[kept], thresholds[1:])
        assert_allclose(curve.signal_efficiency[kept], tpr[1:], atol=1e-12)
        assert_allclose(curve.background_efficiency[kept], fpr[1:], atol=1e-12)

    def test_several_classes_equal_to_scikit_learn(self) -> None:
        rng = np.random.default_rng(3)
        labels, weights = rng.integers(0, 4, 500), rng.uniform(0, 3, 500)
        logits = rng.normal(size=(500, 4)) + 2 * np.eye(4)[labels]
        expected = [
            metrics.roc_auc_score(labels == k, softmax(logits, axis=1)[:, k], sample_weight=weights) for k in range(4)
        ]
        assert_allclose(per_class_auc(logits, labels, weights), expected, atol=1e-12)
        assert accuracy(logits, labels, weights) == pytest.approx(
            metrics.accuracy_score(labels, logits.argmax(axis=1), sample_weight=weights), abs=1e-12
        )

    def test_large_logits_do_not_make_ties(self) -> None:
        logits = np.array([[100.0, 0, 0], [90, 0, 0], [80, 0, 0], [70, 0, 0], [0, 50, 0], [0, 0, 50]])
        labels = np.array([0, 0, 1, 2, 1, 2])  # as softmax, the first four are all 1
        assert per_class_auc(logits, labels, np.ones(6))[0] == 1.0


class TestInvariance:
    @given(rows(), st.floats(1e-6, 1e6), st.integers(0, 99))
    @settings(max_examples=200, deadline=None)
    def test_scaled_weights_and_permuted_rows_change_nothing(self, data: Rows, factor: float, seed: int) -> None:
        scores, is_signal, weights = data
        order = np.random.default_rng(seed).permutation(len(scores))
        one = evaluate_binary(scores, is_signal, weights)
        other = evaluate_binary(scores[order], is_signal[order], weights[order] * factor)
        assert one.threshold == other.threshold
        for name in ("background_efficiency", "roc_auc", "average_precision", "accuracy", "log10_error"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9)

    @given(rows())
    @settings(deadline=None)
    def test_a_weight_of_two_is_a_row_twice(self, data: Rows) -> None:
        scores, is_signal, weights = data
        times = weights.astype(int)
        one = evaluate_binary(scores, is_signal, weights)
        other = evaluate_binary(scores.repeat(times), is_signal.repeat(times), np.ones(times.sum()))
        assert one.threshold == other.threshold
        assert one.background_efficiency == pytest.approx(other.background_efficiency, abs=1e-12)
        assert one.accuracy == pytest.approx(other.accuracy, abs=1e-12)

    @given(rows())
    @settings(deadline=None)
    def test_only_the_order_of_scores_counts(self, data: Rows) -> None:
        scores, is_signal, weights = data
        assert roc_auc(np.exp(scores), is_signal, weights) == roc_auc(scores, is_signal, weights)
        assert working_point(np.exp(scores), is_signal, weights) == np.exp(working_point(scores, is_signal, weights))


class TestSmoothFigure:
    def test_is_the_mean_over_the_working_points(self) -> None:
        rng = np.random.default_rng(0)
        scores, is_signal = rng.normal(size=4000), np.arange(4000) % 2 == 0
        scores[is_signal] += 2
        weights = rng.uniform(0.5, 2, 4000)
        logs = [
            np.log10(background_efficiency(scores, is_signal, weights, working_point(scores, is_signal, weights, e)))
            for e in (0.93, 0.94, 0.95, 0.96, 0.97)
        ]
        assert smooth_log10_background_efficiency(scores, is_signal, weights) == pytest.approx(np.mean(logs), abs=1e-12)

    def test_no_background_passing_counts_half_a_row(self) -> None:
        scores, is_signal = np.arange(300.0), np.arange(300) >= 200
        for weight in (1.0, 7.0):
            figure = smooth_log10_background_efficiency(scores, is_signal, np.full(300, weight))
            assert figure == pytest.approx(np.log10(0.5 / 200))


def test_even_odds_are_the_signal_as_at_any_threshold() -> None:
    assert predicted_classes(np.array([-0.5, 0.0, 0.5])).tolist() == [0, 1, 1]
    assert predicted_classes(np.array([[-0.5], [0.0]])).tolist() == [0, 1]
    assert predicted_classes(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])).tolist() == [0, 1]
    assert error_rate(np.array([-1.0, 1.0]), np.array([1, 1]), np.array([1.0, 3.0])) == pytest.approx(0.25)


class TestEvaluate:
    scores = np.array([5.0, 4, 3, 2, 1, 0, 2.5, 6])
    is_signal = np.array([1, 1, 1, 1, 0, 0, 0, 0], dtype=bool)
    counted = np.array([1, 1, 1, 0, 1, 1, 1, 0], dtype=bool)

    def test_only_counted_rows_count(self) -> None:
        merits = evaluate_binary(self.scores, self.is_signal, np.ones(8), counted=self.counted)
        assert (merits.threshold, merits.background_efficiency, merits.error, merits.precision) == (3.0, 0.0, 0.0, 1.0)
        assert merits.signal_efficiency == 1.0
        assert merits.accuracy == 0.5  # every logit is at least 0
        assert (merits.all_rows_threshold, merits.all_rows_background_efficiency) == (2.0, 0.5)

    def test_working_points_of_validation_are_frozen(self) -> None:
        validation = Merits(0, 0, 0, 0, threshold=2.2, all_rows_threshold=5.5)
        merits = evaluate_binary(self.scores, self.is_signal, np.ones(8), counted=self.counted, validation=validation)
        assert (merits.threshold, merits.all_rows_threshold) == (2.2, 5.5)
        assert merits.background_efficiency == pytest.approx(1 / 3)
        assert merits.all_rows_background_efficiency == 0.25

    def test_validation_of_several_classes_has_no_working_point(self) -> None:
        with pytest.raises(ValueError, match="no working point"):
            evaluate_binary(self.scores, self.is_signal, np.ones(8), validation=Merits(0, 0, 0, 0))

    def test_bins_share_the_working_point(self) -> None:
        low = np.arange(8) % 2 == 0
        bins = {"low": low, "high": ~low, "none": np.zeros(8, dtype=bool)}
        merits = evaluate_binary(self.scores, self.is_signal, np.ones(8), bins=bins)
        assert merits.by_bin == (("low", 0.5), ("high", 0.5), ("none", None))

    def test_several_classes(self) -> None:
        logits = np.array([[2.0, 0, 0], [0, 2, 0], [0, 0, 2], [2, 0, 0]])
        merits = evaluate_multiclass(logits, np.array([0, 1, 2, 2]), np.array([1.0, 1, 1, 2]))
        assert merits.error == merits.error_rate == pytest.approx(0.4)
        assert merits.log10_error == pytest.approx(np.log10(0.4))
        assert (merits.background_efficiency, merits.threshold, len(merits.per_class_auc)) == (None, None, 3)
        assert merits.roc_auc == pytest.approx(np.mean(merits.per_class_auc))
        perfect = evaluate_multiclass(logits[:3], np.arange(3), np.ones(3))
        assert (perfect.error, perfect.roc_auc, perfect.average_precision) == (0.0, 1.0, 1.0)
        assert perfect.log10_error == pytest.approx(np.log10(0.5 / 3))

    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_of_a_data_set(self, n_classes: int) -> None:
        rng = np.random.default_rng(0)
        n = 90
        labels, weights, counted = np.arange(n) % n_classes, rng.uniform(0.5, 1, n), rng.random(n) < 0.8
        data = Dataset(
            name="toy",
            features=np.zeros((n, 1), np.float32),
            labels=labels,
            class_names=("a", "b", "c")[:n_classes],
            feature_names=("x",),
            feature_units=("",),
            weights=weights,
            groups=np.arange(n),
            counted=counted,
        )
        rows = np.arange(10, 80)
        logits = rng.normal(size=(70, data.n_outputs))
        merits = evaluate(data, rows, logits)
        arguments = weights[rows], counted[rows]
        if n_classes == 2:
            expected = evaluate_binary(logits[:, 0], labels[rows] == 1, arguments[0], counted=arguments[1])
        else:
            expected = evaluate_multiclass(logits, labels[rows], arguments[0], counted=arguments[1])
        assert merits == expected


def test_scores_of_many_classes_take_little_memory() -> None:
    logits = np.random.default_rng(0).normal(scale=5, size=(3000, 40))
    tracemalloc.start()
    scores = class_scores(logits)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6  # all rows at once took 120
    odds = [logits[:, k] - logsumexp(np.delete(logits, k, axis=1), axis=1) for k in range(40)]
    assert_allclose(scores, np.transpose(odds), rtol=1e-12)

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from nas_fpga.samplers._acquisition import (
    expected_improvement,
    log_expected_improvement,
    log_probability_of_improvement,
    max_value_entropy_search,
    sampled_minima,
    upper_confidence_bound,
)

CASES = [(0.0, 1.0, 0.0), (0.3, 0.2, -0.5), (1.0, 0.1, -1.0), (0.0, 1.0, 3.0), (-2.0, 0.5, -2.1)]


def values(*case):
    return tuple(np.array([value]) for value in case)


def integrated_log_improvement(mean, deviation, level):
    """Return log E[max(level - X, 0)] by quadrature of the integrand over its largest value."""
    at = min(level, mean) - 1e-9
    scale = norm.logpdf(at, mean, deviation)
    integral, _ = quad(
        lambda x: (level - x) * np.exp(norm.logpdf(x, mean, deviation) - scale),
        level - 12 * deviation - abs(level - mean),
        level,
        points=[at, level - deviation],
        epsrel=1e-11,
        limit=200,
    )
    return np.log(integral) + scale


@pytest.mark.parametrize("case", CASES)
def test_expected_improvement_against_quadrature(case):
    expected = integrated_log_improvement(*case)
    assert log_expected_improvement(*values(*case))[0] == pytest.approx(expected, rel=1e-10, abs=1e-9)
    assert np.log(expected_improvement(*values(*case))[0]) == pytest.approx(expected, rel=1e-10, abs=1e-9)


@pytest.mark.parametrize("score", [-30.0, -49.9, -50.1, -200.0])
def test_the_logarithm_where_the_improvement_itself_is_zero_in_floats(score):
    # E[max(z - X, 0)] = phi(z) h with h the integral of t exp(z t - t^2 / 2) over t > 0.
    integral, _ = quad(lambda t: t * np.exp(score * t - t**2 / 2), 0, 60 / -score, epsrel=1e-12)
    expected = norm.logpdf(score) + np.log(integral)
    assert log_expected_improvement(*values(0.0, 1.0), score)[0] == pytest.approx(expected, rel=1e-8)


def test_the_logarithm_rises_with_the_level_everywhere():
    levels = np.linspace(-80, 60, 4001)
    logs = log_expected_improvement(np.zeros(4001), np.ones(4001), levels)
    assert np.isfinite(logs).all()
    assert (np.diff(logs) > 0).all()


@pytest.mark.parametrize("case", CASES)
def test_probability_of_improvement_against_quadrature(case):
    mean, deviation, level = case
    integral, _ = quad(lambda x: norm.pdf(x, mean, deviation), level - 12 * deviation, level, epsrel=1e-12)
    if level < mean - 10 * deviation:
        integral = norm.cdf(level, mean, deviation)
    assert np.exp(log_probability_of_improvement(*values(*case))[0]) == pytest.approx(integral, rel=1e-7)


def test_upper_confidence_bound_by_hand():
    bounds = upper_confidence_bound(np.array([1.0, -1.0]), np.array([0.5, 0.1]), 2.0)
    assert bounds == pytest.approx([0.0, 1.2])


def test_sampled_minima_have_the_distribution_of_the_least():
    means, deviations = np.array([0.0, 0.4, 3.0]), np.array([1.0, 0.5, 0.1])
    rng = np.random.default_rng(0)
    minima = sampled_minima(rng, means, deviations, 4000)
    drawn = (means + deviations * rng.standard_normal((4000, 3))).min(axis=1)
    for share in (0.1, 0.5, 0.9):
        # The error of a quantile of 4,000 draws is below .03 here, of a difference below .05; three times that.
        assert np.quantile(minima, share) == pytest.approx(np.quantile(drawn, share), abs=0.12)


def test_entropy_search_is_the_information_of_a_truncated_normal():
    # Entropy of a normal minus that of it above the least value, by quadrature.
    mean, deviation, least = 0.3, 0.7, -0.2
    above = norm.sf(least, mean, deviation)

    def surprise(x):
        density = norm.pdf(x, mean, deviation) / above
        return -density * np.log(density)

    truncated, _ = quad(surprise, least, mean + 10 * deviation, epsrel=1e-11)
    expected = norm(mean, deviation).entropy() - truncated
    found = max_value_entropy_search(*values(mean, deviation), np.array([least, least]))
    assert found[0] == pytest.approx(expected, abs=1e-9)

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.stats import multivariate_normal

from nas_fpga.samplers import _regression
from nas_fpga.samplers._regression import GaussianProcess


def smooth(features):
    return np.sin(3 * features[:, 0]) + 0.5 * features[:, 1] ** 2


@pytest.fixture
def observed():
    rng = np.random.default_rng(0)
    features = rng.random((60, 4))
    return features, smooth(features) + 0.05 * rng.standard_normal(60)


def test_gradient_is_that_of_the_value(observed):
    features, targets = observed
    prior = _regression._Prior.of(4)
    for seed in range(5):
        at = np.random.default_rng(seed).normal(0, 0.7, 6)
        error = check_grad(
            lambda p: _regression._negative_log_posterior(p, features, targets, prior)[0],
            lambda p: _regression._negative_log_posterior(p, features, targets, prior)[1],
            at,
        )
        assert error < 1e-3  # forward differences; the gradient is of order 10 to 1,000


def test_value_is_the_negative_log_likelihood_and_prior(observed):
    features, targets = observed[0][:7], observed[1][:7]
    prior = _regression._Prior.of(4)
    parameters = np.array([0.1, -0.2, 0.3, 0.5, 0.2, -2.0])
    lengths, signal, noise = np.exp(parameters[:4]), np.exp(0.2), np.exp(-2.0)
    covariance = np.empty((7, 7))
    for i, a in enumerate(features):
        for j, b in enumerate(features):
            r = np.sqrt((((a - b) / lengths) ** 2).sum())
            covariance[i, j] = signal * (1 + np.sqrt(5) * r + 5 * r**2 / 3) * np.exp(-np.sqrt(5) * r)
    covariance += (noise + 1e-8) * np.eye(7)
    expected = -multivariate_normal(np.zeros(7), covariance).logpdf(targets) - 3.5 * np.log(2 * np.pi)
    expected += 0.5 * (((parameters - prior.means) / prior.deviations) ** 2).sum()
    assert _regression._negative_log_posterior(parameters, features, targets, prior)[0] == pytest.approx(expected)


def test_it_predicts_and_learns_noise_and_what_matters(observed):
    process = GaussianProcess.fit(*observed)
    places = np.random.default_rng(1).random((500, 4))
    means, deviations = process.predict(places)
    errors = means - smooth(places)
    assert np.sqrt((errors**2).mean()) < 0.05  # the noise of one observation; the spread of the targets is 0.3
    assert 0.6 < np.abs(errors / deviations).mean() * np.sqrt(np.pi / 2) < 1.5
    assert process.scale * np.exp(process.parameters[-1] / 2) == pytest.approx(0.05, rel=0.4)
    assert process.parameters[0] < process.parameters[2:4].min()


def test_many_observations_are_all_used():
    features = np.random.default_rng(3).random((650, 4))
    targets = smooth(features)
    targets[1::3] += 10  # every third is learned from, and none of these is among them
    assert np.abs(GaussianProcess.fit(features, targets).predict(features)[0] - smooth(features)).max() > 1


def test_believing_keeps_means_and_shrinks_deviations(observed):
    process = GaussianProcess.fit(*observed)
    places = np.random.default_rng(2).random((50, 4)) * 1.5
    means, deviations = process.predict(places)
    believed_means, believed_deviations = process.believing(places[:1]).predict(places)
    assert believed_means == pytest.approx(means, abs=1e-6)
    assert believed_deviations[0] < deviations[0]
    assert (believed_deviations <= deviations + 1e-9).all()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_equal_or_repeated_observations(n):
    features = np.zeros((n, 3))
    for targets in (np.zeros(n), np.arange(n, dtype=float)):
        means, deviations = GaussianProcess.fit(features, targets).predict(np.eye(3))
        assert np.isfinite(means).all()
        assert (deviations > 0).all()
    assert GaussianProcess.fit(features, targets).predict(features[:1])[0] == pytest.approx(targets.mean(), abs=1e-6)

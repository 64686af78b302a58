from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.stats import multivariate_normal
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from nas_fpga.samplers import _learning
from nas_fpga.samplers._learning import Prior, learn, maximum_posterior, negative_log_posterior
from nas_fpga.samplers._regression import GaussianProcess, fenced, standardise, upper_fence


def smooth(features):
    return np.sin(3 * features[:, 0]) + 0.5 * features[:, 1] ** 2


def fitted(features, targets):
    return GaussianProcess.of(features, targets, learn(features, targets))


@pytest.fixture
def observed():
    rng = np.random.default_rng(0)
    features = rng.random((60, 4))
    return features, smooth(features) + 0.05 * rng.standard_normal(60)


def test_gradient_is_that_of_the_value(observed):
    features, targets = observed
    prior = Prior.of(4)
    for seed in range(5):
        at = np.random.default_rng(seed).normal(0, 0.7, 6)
        error = check_grad(
            lambda p: negative_log_posterior(p, features, targets, prior)[0],
            lambda p: negative_log_posterior(p, features, targets, prior)[1],
            at,
        )
        assert error < 1e-3  # forward differences; the gradient is of order 10 to 1,000


def test_value_is_the_negative_log_likelihood_and_prior(observed):
    features, targets = observed[0][:7], observed[1][:7]
    prior = Prior.of(4)
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
    assert negative_log_posterior(parameters, features, targets, prior)[0] == pytest.approx(expected)


def test_it_predicts_and_learns_noise_and_what_matters(observed):
    process = fitted(*observed)
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
    assert np.abs(fitted(features, targets).predict(features)[0] - smooth(features)).max() > 1


def test_the_posterior_is_that_of_scikit_learn(observed):
    features, targets = observed
    parameters = np.array([0.1, -0.5, 0.8, 1.2, 0.3, -3.0])
    kernel = ConstantKernel(np.exp(0.3)) * Matern(np.exp(parameters[:4]), nu=2.5) + WhiteKernel(np.exp(-3.0) + 1e-8)
    theirs = GaussianProcessRegressor(kernel, alpha=0, optimizer=None)
    theirs.fit(features, (targets - targets.mean()) / targets.std())
    places = np.random.default_rng(5).random((40, 4)) * 1.3
    means, covariance = theirs.predict(places, return_cov=True)
    covariance -= (np.exp(-3.0) + 1e-8) * np.eye(40)  # theirs is of noisy values
    process = GaussianProcess.of(features, targets, parameters)
    ours, deviations = process.predict(places)
    assert ours == pytest.approx(targets.mean() + targets.std() * means, abs=1e-8)
    assert deviations == pytest.approx(targets.std() * np.sqrt(np.diag(covariance)), abs=1e-8)
    joint_means, joint = process.joint(places)
    assert joint_means == pytest.approx(ours, abs=1e-12)
    assert joint == pytest.approx(targets.std() ** 2 * covariance, abs=1e-8)


def test_further_observations_are_as_if_they_had_been_there(observed):
    features, targets = observed
    parameters = np.array([0.1, -0.5, 0.8, 1.2, 0.3, -3.0])
    whole = GaussianProcess.of(features, targets, parameters)
    first = GaussianProcess.of(features[:50], targets[:50], parameters)
    first = replace(first, mean=whole.mean, scale=whole.scale, whitened=whole.whitened[:50])  # one standardisation
    added = first.conditioned(features[50:], targets[50:])
    assert added.factor == pytest.approx(whole.factor, abs=1e-10)
    places = np.random.default_rng(2).random((30, 4))
    again = added.project(places, first.project(places))
    assert np.array(added.predict(again)) == pytest.approx(np.array(whole.predict(places)), abs=1e-10)


def test_versions_are_processes_side_by_side(observed):
    process = fitted(*observed)
    places = np.random.default_rng(2).random((50, 4))
    versions = np.array([[0.0, 1.0, -1.0], [0.5, 0.0, 2.0]])
    means, deviations = process.conditioned(places[:2], versions).predict(places)
    assert means.shape == (50, 3)
    for k in range(3):
        alone, same = process.conditioned(places[:2], versions[:, k]).predict(places)
        assert means[:, k] == pytest.approx(alone, abs=1e-10)
        assert deviations == pytest.approx(same, abs=1e-12)


def test_parameters_do_not_depend_on_what_was_learned_before(observed):
    features, targets = observed
    _learning._learned.clear()
    at_once = learn(features, targets)
    _learning._learned.clear()
    for n in range(3, 61):
        step_by_step = learn(features[:n], targets[:n])
    assert np.array_equal(at_once, step_by_step)


def test_parameters_stay_until_there_are_a_tenth_more_observations(observed):
    features, targets = observed
    steps = list(_learning._schedule(60))
    assert steps[:8] == [3, 4, 5, 6, 7, 8, 9, 10]
    assert steps[-3:] == [50, 55, 60]
    assert np.array_equal(learn(features[:59], targets[:59]), learn(features[:55], targets[:55]))
    assert not np.array_equal(learn(features[:55], targets[:55]), learn(features[:54], targets[:54]))


def test_a_warm_start_ends_where_a_cold_one_does(observed):
    cold = maximum_posterior(*observed)
    warm = maximum_posterior(*observed, cold + 0.3)
    assert warm == pytest.approx(cold, abs=0.1)  # within what the iterations and the flat lengths leave


def test_a_start_at_what_was_known_finds_what_a_cold_one_misses():
    features = np.random.default_rng(0).random((25, 1))
    _, _, targets = standardise(np.sin(16 * np.pi * features[:, 0]))  # to long lengths it looks like noise
    cold, warm = (maximum_posterior(features, targets, known) for known in (None, np.array([-2.5, 0.0, -3.0])))
    values = [negative_log_posterior(end, features, targets, Prior.of(1))[0] for end in (cold, warm)]
    assert values[1] < values[0] - 5
    assert warm[0] < -2 < cold[0]


def test_a_start_that_leads_nowhere_does_not_matter(observed):
    features, (_, _, targets) = observed[0], standardise(observed[1])
    prior = Prior.of(4)
    nowhere = np.array([6.0, 6.0, 6.0, 6.0, 0.0, 1.0])  # all lengths endless and all of it noise
    ends = [maximum_posterior(*observed, known) for known in (None, nowhere)]
    values = [negative_log_posterior(end, features, targets, prior)[0] for end in ends]
    assert values[1] <= values[0] + 1e-9


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_equal_or_repeated_observations(n):
    features = np.zeros((n, 3))
    for targets in (np.zeros(n), np.arange(n, dtype=float)):
        means, deviations = fitted(features, targets).predict(np.eye(3))
        assert np.isfinite(means).all()
        assert (deviations > 0).all()
    assert fitted(features, targets).predict(features[:1])[0] == pytest.approx(targets.mean(), abs=1e-6)


class TestFence:
    def test_it_is_one_and_a_half_interquartile_ranges_above_the_third_quartile(self):
        assert upper_fence(np.array([0.0, 1.0, 2.0, 3.0, 4.0])) == 3 + 1.5 * 2

    def test_what_is_above_counts_as_the_fence_and_the_rest_as_it_is(self):
        targets = np.array([-9.0, 0.0, 1.0, 2.0, 3.0, 4.0, 50.0])
        assert fenced(targets) == pytest.approx([-9, 0, 1, 2, 3, 4, 3.5 + 1.5 * 3])

    def test_where_most_are_equal_there_is_none(self):
        targets = np.array([-2.5] * 31 + [0.0] * 9)
        assert upper_fence(targets) == 0
        assert fenced(targets).tolist() == targets.tolist()

    def test_parameters_do_not_depend_on_how_bad_the_worst_are(self, observed):
        features, targets = observed
        bad, worse = (np.where(np.arange(60) % 20 == 0, value, targets) for value in (10.0, 1000.0))
        assert np.array_equal(learn(features, bad), learn(features, worse))
        assert not np.array_equal(learn(features, bad), learn(features, targets))


@pytest.mark.parametrize("value", [-1.0, -1.1, 0.0, 1e6 / 3])
def test_equal_targets_keep_their_unit(value):
    _, scale, standardised = standardise(np.full(12, value))
    assert scale == 1.0
    assert standardised == pytest.approx(np.zeros(12), abs=1e-9)
    assert standardise(np.array([value, value + 1e-3]))[1] == pytest.approx(5e-4)

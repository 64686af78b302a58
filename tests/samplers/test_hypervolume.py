import numpy as np
import pytest

from nas_fpga.samplers import hypervolume
from nas_fpga.samplers._acquisition import expected_improvement
from nas_fpga.samplers._hypervolume import (
    expected_hypervolume_improvement,
    non_dominated,
    staircase,
)


def volume(*points):
    errors, shares = np.array(points, float).reshape(-1, 2).T
    return hypervolume(errors, shares)


def test_hypervolume_by_hand():
    assert volume() == 0
    assert volume((-3, -6)) == 1
    assert volume((-1.5, -3)) == pytest.approx(1 / 4)
    assert volume((-1, -3), (-2, -1)) == pytest.approx((2 * 1 + 1 * 2) / 18)
    assert volume((-1, -3), (-2, -1), (-0.5, -2), (-1, -3)) == volume((-1, -3), (-2, -1))


def test_hypervolume_outside_the_rectangle():
    assert volume((-5, -9)) == 1
    assert volume((-2, 0.1), (0.2, -3)) == 0
    assert volume((-9, -3)) == volume((-3, -3))


def test_a_staircase_has_a_step_for_each_point_that_lowers_it():
    errors, shares = np.array([-1, -2, -0.5, -1, -2, -2.5, 0.1]), np.array([-3, -1, -2, -3, -0.5, 0.2, -5])
    edges, levels = staircase(errors, shares)
    assert edges.tolist() == [-6, -3, -1, 0]
    assert levels.tolist() == [0, -1, -2]


def test_non_dominated():
    errors = np.array([-1, -2, -0.5, -1, -2])
    shares = np.array([-3, -1, -2, -3, -1.5])
    assert non_dominated(errors, shares).tolist() == [True, False, False, False, True]


def test_expected_improvement_against_its_definition():
    draws = np.random.default_rng(0).standard_normal(400_000)
    for mean, deviation, level in [(-1.0, 0.3, -1.2), (-1.0, 0.3, -0.2), (0.5, 1.0, 0.0)]:
        expected = np.maximum(level - (mean + deviation * draws), 0).mean()
        value = expected_improvement(np.array(mean), np.array(deviation), np.array(level))
        assert value == pytest.approx(expected, abs=4 * deviation / np.sqrt(len(draws)))


@pytest.mark.parametrize("share", [-5.5, -2.5, -2.0, -0.4, -7.0, 0.3])
def test_expected_growth_is_the_mean_growth(share):
    errors, shares = np.array([-1.0, -2.0, -0.4]), np.array([-3.0, -1.0, -2.0])
    mean, deviation = -1.4, 0.8
    draws = mean + deviation * np.random.default_rng(1).standard_normal(4000)
    base = hypervolume(errors, shares)
    growth = np.array([hypervolume(np.append(errors, e), np.append(shares, share)) for e in draws]) - base
    value = expected_hypervolume_improvement(
        np.array([mean]), np.array([deviation]), np.array([share]), 0.0, *staircase(errors, shares)
    )
    assert value[0] == pytest.approx(growth.mean(), abs=4 * growth.std() / np.sqrt(len(draws)) + 1e-12)


@pytest.mark.parametrize(("share", "spread"), [(-2.5, 0.6), (-0.1, 0.3), (-5.8, 0.5), (0.4, 0.4)])
def test_expected_growth_with_an_unknown_share_is_the_mean_over_it(share, spread):
    steps = staircase(np.array([-1.0, -2.0, -0.4]), np.array([-3.0, -1.0, -2.0]))
    drawn = share + spread * np.random.default_rng(2).standard_normal(100_000)
    mean, deviation = np.full(len(drawn), -1.4), np.full(len(drawn), 0.8)
    known = expected_hypervolume_improvement(mean, deviation, drawn, 0.0, *steps)
    value = expected_hypervolume_improvement(mean[:1], deviation[:1], np.array([share]), spread, *steps)
    assert value[0] == pytest.approx(known.mean(), abs=4 * known.std() / np.sqrt(len(drawn)))


def test_a_share_known_for_some_candidates_alone():
    steps = staircase(np.array([-1.0, -2.0]), np.array([-3.0, -1.0]))
    means, deviations, shares = np.array([-1.4, -1.4]), np.array([0.8, 0.8]), np.array([-2.0, -2.0])
    both = expected_hypervolume_improvement(means, deviations, shares, np.array([0.0, 0.5]), *steps)
    for k, spread in enumerate((0.0, 0.5)):
        alone = expected_hypervolume_improvement(means[:1], deviations[:1], shares[:1], spread, *steps)
        assert both[k] == pytest.approx(alone[0], rel=1e-12)
    nearly = expected_hypervolume_improvement(means[:1], deviations[:1], shares[:1], 1e-6, *steps)
    assert both[0] == pytest.approx(nearly[0], rel=1e-5)

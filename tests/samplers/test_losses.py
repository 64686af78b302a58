import numpy as np
import pytest

from nas_fpga.samplers import hypervolume
from nas_fpga.samplers._losses import area_loss, chebyshev_loss, draw_loss, precision_loss

# Error .01 and share .01: 1/3 and 2/3 of the unit square. The last three are over the limits, just at them, far over.
ERRORS = np.array([-2.0, -1.0, -3.0, -4.0, 0.5, -3.0, -3.0, -3.0])
SHARES = np.array([-2.0, -5.0, -0.1, -9.0, -1.0, 0.3, 0.0, 2.0])


def test_precision_is_log_error_within_the_limits_and_log_share_over_them():
    assert precision_loss(ERRORS, SHARES) == pytest.approx([-2, -1, -3, -4, 0, 0.3, 0, 2])


def test_area_is_what_a_candidate_alone_dominates():
    losses = area_loss(ERRORS, SHARES)
    alone = [hypervolume(ERRORS[[i]], SHARES[[i]]) for i in range(5)]
    assert losses[:5] == pytest.approx(-np.array(alone))
    assert losses[0] == pytest.approx(-2 / 3 * 1 / 3)
    assert losses[5:] == pytest.approx([0.05, 0, 1 / 3])


def test_chebyshev_is_the_larger_of_both_and_a_twentieth_of_their_sum():
    # 0.3 / 3 and 0.7 * 2/3; then 0.3 * 2/3 and 0.7 / 6.
    assert chebyshev_loss(ERRORS, SHARES, 0.3)[:2] == pytest.approx(
        [0.7 * 2 / 3 + 0.05 * (0.1 + 0.7 * 2 / 3), 0.2 + 0.05 * (0.2 + 0.7 / 6)]
    )
    assert chebyshev_loss(ERRORS, SHARES, 1.0)[:5] == pytest.approx(1.05 * np.array([1 / 3, 2 / 3, 0, 0, 1]))
    assert chebyshev_loss(ERRORS, SHARES, 0.0)[:5] == pytest.approx(1.05 * np.array([2 / 3, 1 / 6, 59 / 60, 0, 5 / 6]))
    assert chebyshev_loss(ERRORS, SHARES, 0.5)[5:] == pytest.approx([1.1, 1.05, 1.05 + 1 / 3])


@pytest.mark.parametrize("loss", [precision_loss, area_loss, lambda e, s: chebyshev_loss(e, s, 0.9)])
def test_what_is_over_the_limits_is_worse_than_all_within_by_its_excess(loss):
    rng = np.random.default_rng(0)
    errors, shares = rng.uniform(-4, 1, 500), rng.uniform(-8, 2, 500)
    losses = loss(errors, shares)
    over = shares >= 0
    assert losses[over].min() >= losses[~over].max()
    assert (np.argsort(losses[over]) == np.argsort(shares[over])).all()


def test_the_weights_of_the_front_are_uniform_and_drawn_anew():
    rng = np.random.default_rng(0)
    # Of error 1 and the least share the loss is 1.05 times the weight.
    weights = [draw_loss("front", rng)(np.zeros(1), np.full(1, -6.0))[0] / 1.05 for _ in range(2000)]
    assert np.quantile(weights, [0.1, 0.5, 0.9]) == pytest.approx([0.1, 0.5, 0.9], abs=0.04)
    assert draw_loss("precision", rng) is precision_loss

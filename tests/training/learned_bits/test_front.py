"""Which checkpoints are kept."""

import numpy as np

from nas_fpga.training.learned_bits._front import Front


def test_what_is_kept_is_exactly_the_non_dominated():
    rng = np.random.default_rng(1)
    points = [(float(loss), float(cost)) for loss, cost in rng.integers(0, 30, (200, 2))]
    front = Front()
    for i, point in enumerate(points):
        front.add(*point, i)

    def dominated(i):
        (loss, cost) = points[i]
        return any(
            a <= loss and b <= cost and ((a, b) != (loss, cost) or j < i) for j, (a, b) in enumerate(points) if j != i
        )

    assert {one.what for one in front.kept} == {i for i in range(len(points)) if not dominated(i)}
    assert all(points[one.what] == (one.loss, one.cost) for one in front.kept)


def test_thinning_spreads_in_the_logarithm_of_the_cost_and_keeps_the_most_precise():
    front = Front()
    for i in range(100):
        front.add(loss=float(i), cost=1e5 * 0.9**i, what=i)
    thin = front.thinned(8)
    assert len(thin) == 8
    assert thin[0].what == 0
    ratios = np.diff(np.log([one.cost for one in thin]))
    assert ratios.max() < 0
    assert ratios.min() / ratios.max() < 1.3
    assert [one.what for one in front.thinned(100)] == list(range(100))


def test_a_cost_of_nothing_can_be_kept():
    front = Front()
    front.add(0.7, 0.0, "constant")
    for i in range(10):
        front.add(0.6 - 0.01 * i, 10.0 * (i + 1), i)
    thin = front.thinned(4)
    assert thin[-1].what == "constant"
    assert len(thin) <= 4

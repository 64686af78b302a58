import numpy as np
import pytest

from nas_fpga.errors import InputError
from nas_fpga.samplers import GridSampler, Observation, parse_grid, reference_grid
from nas_fpga.space import MLPSpace, SpaceExhausted, TrainingSpace
from nas_fpga.testing import SamplerConformance

GRID = (*parse_grid("2,4,6,8x1,3,5x1,2,4"), (1, 1, 1, 30), (2, 1), (1, 1, 1, 1, 1))


class TestGridSampler(SamplerConformance):
    seeded = False
    covers_the_space = False

    @pytest.fixture
    def make_sampler(self):
        return lambda space, seed: GridSampler(space, GRID if space.budget > 4 else parse_grid("1,2,3x1,2,3"))


def test_reference_grid():
    grid = reference_grid()
    assert len(grid) == len(set(grid)) == 6 * 7 * 7 == 294
    assert (750, 1000, 750) in grid
    assert {len(topology) for topology in grid} == {3}
    assert min(map(min, grid)) == 1
    assert max(map(max, grid)) == 2000
    assert (75, 100, 75) in reference_grid(200)
    assert max(map(max, reference_grid(200))) == 200
    assert reference_grid(1) == ((1, 1, 1),)


def test_points_over_the_budget_are_dropped_and_counted():
    space = MLPSpace(13, 1, 2000)
    sampler = GridSampler(space, reference_grid())
    over = {topology for topology in reference_grid() if sum(topology) > 2000}
    assert {candidate.topology for candidate in sampler.dropped} == over
    assert sampler.n_dropped == len(over) == 189
    assert "105 of 294 points at w6a6; 189 dropped" in sampler.describe()
    assert GridSampler(MLPSpace(13, 1, 6000), reference_grid()).n_dropped == 0


def test_many_points_are_checked_together(monkeypatch):
    calls = []

    def prior_cost(rows):
        calls.append(len(rows))
        return np.zeros(len(rows)), rows[:, 0] % 7 == 0

    monkeypatch.setattr("nas_fpga.samplers._grid._AT_ONCE", 100)
    grid = (*parse_grid("{0}x{0}".format(",".join(map(str, range(1, 31))))), (1, 2**40), (1,) * 9, (1,))
    space = MLPSpace(3, 1, 40, max_layers=3, prior_cost=prior_cost)
    calls.clear()
    points = GridSampler(space, grid).points
    assert len(calls) == 10
    assert {point.topology for point in points} == {
        topology for topology in grid if sum(topology) <= 40 and len(topology) <= 3 and topology[0] % 7
    }
    assert all(point in space for point in points)


def test_points_come_once_each_then_it_ends():
    space = MLPSpace(3, 1, 20, max_layers=3)
    sampler = GridSampler(space, parse_grid("2,4,16x3,5"))  # 16-5 has 21 neurons
    history = []
    for _ in range(2):
        history += [Observation(candidate, "failed") for candidate in sampler.ask(history, [], 2)]
    with pytest.raises(SpaceExhausted) as end:
        sampler.ask(history, [], 2)
    proposed = {observation.candidate.topology for observation in history}
    assert {*proposed, end.value.remaining[0].topology} == {(2, 3), (2, 5), (4, 3), (4, 5), (16, 3)}
    assert len(end.value.remaining) == 1


@pytest.mark.parametrize(
    ("weight_bits", "activation_bits", "bits"),
    [((2, 8), (2, 8), "w6a6"), ((2, 4), (7, 8), "w4a7"), ((5, 5), (2, 8), "w5a6")],
)
def test_bits_are_six_or_nearest(weight_bits, activation_bits, bits):
    space = MLPSpace(3, 1, 20, weight_bits=weight_bits, activation_bits=activation_bits)
    assert str(GridSampler(space, ((2, 3),)).points[0].bits) == bits


@pytest.mark.parametrize("text", ["", "8,", "8xx4", "8,0x4", "-1x3", "a", "8;16"])
def test_bad_grids_end_with_one_line(text):
    with pytest.raises(InputError, match="is not of the form 8,16,32x8,16"):
        parse_grid(text)


def test_a_grid_outside_the_space_is_refused():
    with pytest.raises(
        InputError, match=r"all 1 points .* outside the space of 1 to 15 layers, 20 neurons in all; widen it"
    ):
        GridSampler(MLPSpace(3, 1, 20), ((21,),))


def test_a_grid_searches_no_training_settings():
    space = MLPSpace(3, 1, 20, training=TrainingSpace(epochs=(5, 10)))
    with pytest.raises(InputError, match=r"the grid searches no training settings \(epochs\); leave"):
        GridSampler(space, ((2, 3),))

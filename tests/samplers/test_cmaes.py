import numpy as np
import pytest
from cmaes import CMA

from nas_fpga.samplers import CMAESSampler, Observation, RandomSampler
from nas_fpga.samplers._losses import area_loss, precision_loss
from nas_fpga.space import MLPSpace
from nas_fpga.testing import (
    Column,
    ColumnConformance,
    ColumnSpace,
    GoalConformance,
    LearnedBitsConformance,
    SamplerConformance,
    SearchedSettingsConformance,
    observe,
)

SPACE = MLPSpace(8, 1, 200, max_layers=6)


class TestCMAESSampler(SamplerConformance):
    most_seconds = 0.1

    @pytest.fixture
    def make_sampler(self):
        return CMAESSampler


class TestCMAESSamplerOfColumns(ColumnConformance):
    @pytest.fixture
    def make_sampler(self):
        return CMAESSampler


class TestCMAESSamplerOfSettings(SearchedSettingsConformance):
    @pytest.fixture
    def make_sampler(self):
        return CMAESSampler


class TestCMAESSamplerOfLearnedBits(LearnedBitsConformance):
    @pytest.fixture
    def make_sampler(self):
        return CMAESSampler


class TestCMAESSamplerGoals(GoalConformance):
    @pytest.fixture
    def make_sampler_for(self):
        return CMAESSampler


@pytest.mark.parametrize(("goal", "loss"), [("front", area_loss), ("precision", precision_loss)])
def test_whole_generations_of_the_history_are_told(goal, loss):
    history = list(map(observe, RandomSampler(SPACE, 0).ask([], [], 25)))
    size = 4 + int(3 * np.log(SPACE.n_unit))  # 10
    seed = int(np.random.default_rng([3, 25]).integers(2**31))
    strategy = CMA(np.full(10, 0.5), 1 / 6, np.tile([0.0, 1.0], (10, 1)), n_max_resampling=100, seed=seed)
    places = SPACE.to_unit(SPACE.rows([o.candidate for o in history]))
    losses = loss(np.array([o.log10_error for o in history]), np.array([o.log10_share for o in history]))
    for start in (0, size):
        strategy.tell(list(zip(places[start : start + size], losses[start : start + size], strict=True)))
    assert strategy.generation == 2
    drawn = SPACE.candidates(SPACE.from_unit(np.array([strategy.ask() for _ in range(3)])))
    assert CMAESSampler(SPACE, 3, goal).ask(history, [], 3) == drawn


def test_it_walks_to_the_best_of_a_smooth_function():
    space = ColumnSpace(tuple(Column(name, tuple(range(1000))) for name in "abc"))
    best = np.array([800, 100, 500])

    def distance(candidate):
        return float(np.abs(np.array(candidate) - best).mean())

    history = []
    for _ in range(40):
        history += [
            Observation(candidate, "complete", distance(candidate) / 1000 - 2, -1.0)
            for candidate in CMAESSampler(space, 0, "precision").ask(history, [], 4)
        ]
    last = [distance(observation.candidate) for observation in history[-20:]]
    assert np.mean([distance(observation.candidate) for observation in history[:20]]) > 150
    assert np.mean(last) < 30

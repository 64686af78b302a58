import numpy as np
import pytest

from nas_fpga.errors import InputError
from nas_fpga.samplers import LocalSearchSampler, Observation
from nas_fpga.samplers._local_search import best_of_run
from nas_fpga.testing import (
    Column,
    ColumnConformance,
    ColumnSpace,
    GoalConformance,
    LearnedBitsConformance,
    SamplerConformance,
    SearchedSettingsConformance,
)


def make_local_search(space, seed):
    return LocalSearchSampler(space, seed, n_startup=5)


class TestLocalSearchSampler(SamplerConformance):
    most_seconds = 0.1

    @pytest.fixture
    def make_sampler(self):
        return make_local_search


class TestLocalSearchSamplerOfColumns(ColumnConformance):
    @pytest.fixture
    def make_sampler(self):
        return make_local_search


class TestLocalSearchSamplerOfSettings(SearchedSettingsConformance):
    @pytest.fixture
    def make_sampler(self):
        return make_local_search


class TestLocalSearchSamplerOfLearnedBits(LearnedBitsConformance):
    @pytest.fixture
    def make_sampler(self):
        return make_local_search


class TestLocalSearchSamplerGoals(GoalConformance):
    @pytest.fixture
    def make_sampler_for(self):
        return lambda space, seed, goal: LocalSearchSampler(space, seed, goal=goal)


LINE = ColumnSpace((Column("x", tuple(range(10))), Column("y", tuple(range(10)))))


def trained(candidates):
    """Return trials on a bowl with its bottom at (7, 2)."""
    return [Observation(c, "complete", abs(c[0] - 7) / 10 + abs(c[1] - 2) / 10 - 3, -1.0) for c in candidates]


def test_neighbours_of_the_best_are_proposed():
    history = trained([(0, 0), (5, 5), (9, 9)])
    proposed = LocalSearchSampler(LINE, 0, n_startup=0, goal="precision").ask(history, [], 4)
    assert set(proposed) == {(4, 5), (6, 5), (5, 4), (5, 6)}
    # Neighbours in training are not proposed again, nor is anything of the worse ones.
    assert LocalSearchSampler(LINE, 1, n_startup=0, goal="precision").ask(history, proposed[:3], 1) == [proposed[3]]


def test_the_best_is_that_since_the_last_start():
    losses = np.array([5.0, 3.0, 4.0, 2.0])
    assert best_of_run(losses, 2, 8) == 3
    assert best_of_run(losses[:3], 2, 8) == 1
    assert best_of_run(np.array([]), 2, 8) is None
    # Better by nothing is not better: after two more trials the search is stuck, and some are passed over.
    stuck = np.array([3.0, 2.0, 2.0, 2.0])
    assert best_of_run(stuck[:3], 2, 8) == 1
    assert best_of_run(stuck, 2, 8) is None
    assert best_of_run(np.append(stuck, np.zeros(8)), 2, 8) is None
    assert best_of_run(np.append(stuck, [*np.zeros(8), 9.0]), 2, 8) == 12
    assert best_of_run(np.append(stuck, [*np.zeros(8), 9.0, 8.0, 9.0]), 2, 8) == 13
    assert best_of_run(np.append(stuck, [*np.zeros(8), 9.0, 9.0, 9.0]), 2, 8) is None
    assert best_of_run(np.append(stuck, np.zeros(8)), 2, 7) == 11


def test_a_search_that_is_stuck_starts_at_random():
    history = trained([(7, 2), (9, 9), (9, 8), (9, 7)])
    near = {(6, 2), (8, 2), (7, 1), (7, 3)}
    assert set(LocalSearchSampler(LINE, 0, n_startup=0, goal="precision").ask(history, [], 4)) == near
    stuck = LocalSearchSampler(LINE, 0, n_startup=0, goal="precision", patience=3).ask(history, [], 4)
    assert not set(stuck) & near


@pytest.mark.parametrize("goal", ["front", "precision"])
def test_it_beats_random_search(gain_over_random, goal):
    def make(space, seed, goal):
        return LocalSearchSampler(space, seed, n_startup=12, goal=goal)

    assert gain_over_random(make, 60, goal) > 2.13  # 95 %, 4 degrees of freedom


def test_no_patience_is_refused():
    with pytest.raises(InputError, match="patience 0 must be at least 1"):
        LocalSearchSampler(LINE, 0, patience=0)

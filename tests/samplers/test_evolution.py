from dataclasses import replace

import pytest

from nas_fpga.errors import InputError
from nas_fpga.samplers import Observation, RegularizedEvolutionSampler
from nas_fpga.testing import (
    Column,
    ColumnConformance,
    ColumnSpace,
    GoalConformance,
    LearnedBitsConformance,
    SamplerConformance,
    SearchedSettingsConformance,
)


def make_evolution(space, seed):
    return RegularizedEvolutionSampler(space, seed, n_startup=5)


class TestRegularizedEvolutionSampler(SamplerConformance):
    most_seconds = 0.1

    @pytest.fixture
    def make_sampler(self):
        return make_evolution


class TestRegularizedEvolutionSamplerOfColumns(ColumnConformance):
    @pytest.fixture
    def make_sampler(self):
        return make_evolution


class TestRegularizedEvolutionSamplerOfSettings(SearchedSettingsConformance):
    @pytest.fixture
    def make_sampler(self):
        return make_evolution


class TestRegularizedEvolutionSamplerOfLearnedBits(LearnedBitsConformance):
    @pytest.fixture
    def make_sampler(self):
        return make_evolution


class TestRegularizedEvolutionSamplerGoals(GoalConformance):
    @pytest.fixture
    def make_sampler_for(self):
        return lambda space, seed, goal: RegularizedEvolutionSampler(space, seed, goal=goal)


LINE = ColumnSpace((Column("x", tuple(range(100))), Column("kind", ("a", "b", "c", "d"), "categorical")))


def history_at(places):
    return [Observation((x, "a"), "complete", error, -1.0) for x, error in places]


def parents(history, **options):
    """Return the places of the parents of many children."""
    sampler = RegularizedEvolutionSampler(LINE, 0, n_startup=0, goal="precision", **options)
    children = [replace(sampler, seed=seed).ask(history, [], 1)[0] for seed in range(60)]
    places = [observation.candidate[0] for observation in history]
    return [min(places, key=lambda place: abs(place - child[0])) for child in children]


def test_the_old_die_however_good():
    history = history_at([(10, -3.0), (40, -1.0), (65, -2.0), (90, -1.5)])
    assert set(parents(history, population=4, tournament=4)) == {10}
    assert set(parents(history, population=3, tournament=3)) == {65}
    assert set(parents(history, population=1, tournament=1)) == {90}


def test_tournaments_are_of_some_of_the_population():
    history = history_at([(10, -3.0), (40, -1.0), (65, -2.0), (90, -1.5)])
    of_two = parents(history, population=4, tournament=2)
    # Of the six pairs the best is in three, the second in two more, the third in the last; the worst never wins.
    assert {place: of_two.count(place) for place in (10, 40, 65, 90)} == {
        10: pytest.approx(30, abs=9),
        40: 0,
        65: pytest.approx(20, abs=9),
        90: pytest.approx(10, abs=8),
    }


def test_a_child_is_one_move_from_its_parent():
    sampler = RegularizedEvolutionSampler(LINE, 0, n_startup=0, goal="precision", population=1, tournament=1)
    for x, kind in sampler.ask(history_at([(10, -1.0), (50, -2.0)]), [], 8):
        assert (kind == "a" and 0 < abs(x - 50) <= 10) or (x == 50 and kind != "a")


@pytest.mark.parametrize("goal", ["front", "precision"])
def test_it_beats_random_search(gain_over_random, goal):
    def make(space, seed, goal):
        return RegularizedEvolutionSampler(space, seed, n_startup=12, goal=goal)

    assert gain_over_random(make, 60, goal) > 2.13  # 95 %, 4 degrees of freedom


@pytest.mark.parametrize("tournament", [0, 6])
def test_a_tournament_is_of_the_population(tournament):
    with pytest.raises(InputError, match=rf"tournament {tournament} must be 1 to 5, the population"):
        RegularizedEvolutionSampler(LINE, 0, population=5, tournament=tournament)

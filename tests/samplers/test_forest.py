import functools
from dataclasses import replace

import numpy as np
import pytest

from nas_fpga.errors import InputError
from nas_fpga.samplers import ForestSampler, LatinHypercubeSampler, RandomSampler
from nas_fpga.samplers._forest import _Forest
from nas_fpga.space import MLPSpace
from nas_fpga.testing import (
    ColumnConformance,
    GoalConformance,
    LearnedBitsConformance,
    SamplerConformance,
    SearchedSettingsConformance,
    observe,
)


def make_forest_sampler(space, seed):
    return ForestSampler(space, seed, n_startup=5)


class TestForestSampler(SamplerConformance):
    most_seconds = 0.3

    @pytest.fixture
    def make_sampler(self):
        return make_forest_sampler


class TestForestSamplerOfColumns(ColumnConformance):
    generations = 10

    @pytest.fixture
    def make_sampler(self):
        return make_forest_sampler


class TestForestSamplerOfSettings(SearchedSettingsConformance):
    @pytest.fixture
    def make_sampler(self):
        return make_forest_sampler


class TestForestSamplerOfLearnedBits(LearnedBitsConformance):
    @pytest.fixture
    def make_sampler(self):
        return make_forest_sampler


class TestForestSamplerAsItCanBeSet(SamplerConformance):
    generations = 5

    @pytest.fixture(
        params=[("extra-trees", "min", "random"), ("random-forest", "mean", "latin-hypercube")], ids="-".join
    )
    def make_sampler(self, request):
        trees, liar, start = request.param
        return functools.partial(ForestSampler, n_startup=5, trees=trees, liar=liar, start=start)


class TestForestSamplerGoals(GoalConformance):
    @pytest.fixture
    def make_sampler_for(self):
        return lambda space, seed, goal: ForestSampler(space, seed, goal=goal, trees="extra-trees")


def data(n=200):
    rng = np.random.default_rng(0)
    features = rng.random((n, 3)).astype(np.float32).astype(np.float64)
    return features, np.sin(5 * features[:, 0]) + features[:, 1]


@pytest.mark.parametrize("trees", ["random-forest", "extra-trees"])
def test_means_are_those_of_scikit_learn(trees):
    from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

    features, losses = data()
    forest = _Forest(np.random.default_rng(3), trees, features, losses)
    forest.label(losses, np.zeros((100, 0), np.int64), 0.0)
    seed = int(np.random.default_rng(3).integers(2**31))
    kinds = {
        "random-forest": lambda: RandomForestRegressor(100, max_samples=200, random_state=seed),
        "extra-trees": lambda: ExtraTreesRegressor(100, random_state=seed),
    }
    theirs = kinds[trees]().fit(features, losses)
    new = np.random.default_rng(1).random((50, 3))
    means, deviations = forest.predict(forest.leaves(new))
    assert means == pytest.approx(theirs.predict(new), abs=1e-12)
    # Fully grown trees are certain, each by itself: what is left is how far they disagree.
    by_tree = np.array([tree.predict(new) for tree in theirs.estimators_])
    assert deviations == pytest.approx(by_tree.std(axis=0), abs=1e-12)


def test_variances_within_leaves_add_to_those_between_trees():
    features, losses = data()
    forest = _Forest(np.random.default_rng(0), "extra-trees", features, losses)
    at = forest.leaves(features[:1])
    # A lie of 5 beside the one trial of each leaf, of 1: mean 3, variance 4, and trees agree.
    forest.label(np.ones(200), at, 5.0)
    mean, deviation = forest.predict(at)
    assert (mean, deviation) == (pytest.approx([3]), pytest.approx([2]))
    forest.label(np.ones(200), np.repeat(at, 3, axis=1), 5.0)
    assert forest.predict(at)[0] == pytest.approx([4])


def test_a_tree_learns_from_a_thousand_trials_of_all():
    features, losses = data(1500)
    for trees in ("random-forest", "extra-trees"):
        forest = _Forest(np.random.default_rng(0), trees, features, losses)
        assert len(forest._trials) == 100 * 1000
        assert len(np.unique(forest._trials)) == 1500
    assert len(_Forest(np.random.default_rng(0), "extra-trees", features[:900], losses[:900])._trials) == 100 * 900


SPACE = MLPSpace(8, 1, 200, max_layers=6)


def test_pending_candidates_push_proposals_away_and_their_lies_differ():
    history = list(map(observe, RandomSampler(SPACE, 0).ask([], [], 30)))
    alone = ForestSampler(SPACE, 0, goal="precision").ask(history, [], 1)
    asked = {
        liar: ForestSampler(SPACE, 0, goal="precision", liar=liar).ask(history, alone, 3)
        for liar in ("min", "mean", "max")
    }
    assert len(set(map(tuple, asked.values()))) == 3

    def distance(liar):
        return np.abs(SPACE.features(asked[liar]) - SPACE.features(alone)).sum(axis=1).mean()

    assert distance("max") > distance("min")


def test_the_start_is_random_or_one_latin_hypercube():
    start = ForestSampler(SPACE, 3, n_startup=8, start="latin-hypercube").ask([], [], 8)
    assert start == LatinHypercubeSampler(SPACE, 3, size=8).ask([], [], 8)
    history = list(map(observe, start[:5]))
    assert ForestSampler(SPACE, 3, n_startup=8, start="latin-hypercube").ask(history, start[5:6], 2) == start[6:]
    history = list(map(observe, RandomSampler(SPACE, 3).ask([], [], 10)))
    worse = [replace(observation, log10_error=-0.1 * i) for i, observation in enumerate(history)]
    sampler = ForestSampler(SPACE, 3, n_startup=12)
    assert sampler.ask(worse, [], 2) == sampler.ask(history, [], 2)
    assert sampler.ask(worse, [], 3) != sampler.ask(history, [], 3)


def test_the_larger_kappa_the_more_it_explores():
    history = list(map(observe, RandomSampler(SPACE, 0).ask([], [], 40)))
    seen = SPACE.features([observation.candidate for observation in history])

    def novelty(kappa):
        proposed = ForestSampler(SPACE, 0, goal="precision", kappa=kappa).ask(history, [], 4)
        return np.abs(SPACE.features(proposed)[:, None] - seen).sum(axis=2).min(axis=1).mean()

    assert novelty(1.96) > 1.2 * novelty(0.0)


@pytest.mark.parametrize("goal", ["front", "precision"])
def test_it_beats_random_search(gain_over_random, goal):
    def make(space, seed, goal):
        return ForestSampler(space, seed, n_startup=12, goal=goal)

    assert gain_over_random(make, 40, goal) > 2.13  # 95 %, 4 degrees of freedom


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"trees": "oak"}, "trees 'oak' is not one of random-forest, extra-trees"),
        ({"liar": "cl_max"}, "liar 'cl_max' is not one of min, mean, max"),
        ({"start": "sobol"}, "start 'sobol' is not one of random, latin-hypercube"),
        ({"kappa": -1.0}, "kappa -1.0 must be at least 0"),
        ({"n_startup": -1}, "startup trials -1"),
    ],
)
def test_bad_words_are_refused(words, said):
    with pytest.raises(InputError, match=said):
        ForestSampler(SPACE, 0, **words)

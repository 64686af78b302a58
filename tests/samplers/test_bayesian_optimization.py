import numpy as np
import pytest

from nas_fpga.errors import InputError
from nas_fpga.samplers import BayesianOptimizationSampler, Observation
from nas_fpga.space import MLPSpace, totals_of
from nas_fpga.testing import (
    ColumnConformance,
    GoalConformance,
    LearnedBitsConformance,
    SamplerConformance,
    SearchedSettingsConformance,
)


class TestBayesianOptimizationSampler(SamplerConformance):
    generations = 4
    most_seconds = 5.0

    @pytest.fixture
    def make_sampler(self):
        return lambda space, seed: BayesianOptimizationSampler(space, seed, n_startup=10)


class TestBayesianOptimizationSamplerOfColumns(ColumnConformance):
    generations = 4
    most_seconds = 5.0

    @pytest.fixture
    def make_sampler(self):
        return lambda space, seed: BayesianOptimizationSampler(space, seed, n_startup=10)


class TestBayesianOptimizationSamplerGoals(GoalConformance):
    @pytest.fixture
    def make_sampler_for(self):
        return lambda space, seed, goal: BayesianOptimizationSampler(space, seed, goal=goal)


class TestBayesianOptimizationSamplerOfSettings(SearchedSettingsConformance):
    generations = 4
    most_seconds = 5.0

    @pytest.fixture
    def make_sampler(self):
        return lambda space, seed: BayesianOptimizationSampler(space, seed, n_startup=10)


class TestBayesianOptimizationSamplerOfLearnedBits(LearnedBitsConformance):
    generations = 4
    most_seconds = 5.0

    @pytest.fixture
    def make_sampler(self):
        return lambda space, seed: BayesianOptimizationSampler(space, seed, n_startup=10)


@pytest.mark.parametrize("acquisition", BayesianOptimizationSampler.acquisitions)
def test_it_follows_the_error(acquisition):
    # The more neurons the better: it proposes a network larger than all it has seen.
    space = MLPSpace(8, 1, 500, max_layers=2, weight_bits=(6, 6), activation_bits=(6, 6))
    rows = space.sample(np.random.default_rng(0), 12)
    history = [
        Observation(candidate, "complete", -np.log10(total), -1.0)
        for candidate, total in zip(space.candidates(rows), totals_of(rows), strict=True)
    ]
    (proposed,) = BayesianOptimizationSampler(space, 0, acquisition, n_startup=12, goal="precision").ask(history, [], 1)
    assert proposed.n_neurons > totals_of(rows).max()


def test_repeated_candidates_are_averaged(capfd):
    space = MLPSpace(8, 1, 50, max_layers=2)
    candidates = space.candidates(space.sample(np.random.default_rng(0), 4)) * 2
    history = [Observation(candidate, "complete", -i / 8, -1.0) for i, candidate in enumerate(candidates)]
    assert len(BayesianOptimizationSampler(space, 0, n_startup=0).ask(history, [candidates[0]], 1)) == 1
    assert capfd.readouterr() == ("", "")  # the library prints about points that it is told twice


def test_the_library_is_told_the_last_trials(monkeypatch):
    space = MLPSpace(8, 1, 200, max_layers=3)
    candidates = space.candidates(np.unique(space.sample(np.random.default_rng(0), 400), axis=0)[:310])
    history = [Observation(candidate, "complete", -i / 310, -1.0) for i, candidate in enumerate(candidates)]
    told = []

    def suggestion(self, rng, places, values, lies):
        told.append(sorted(values))
        return space.sample(rng, 1)

    monkeypatch.setattr(BayesianOptimizationSampler, "_suggestion", suggestion)
    BayesianOptimizationSampler(space, 0, goal="precision").ask(history, [], 1)
    assert told == [pytest.approx([i / 310 for i in range(10, 310)])]


def test_an_unknown_acquisition_function_is_refused():
    with pytest.raises(InputError, match="acquisition 'lcb' is not one of ucb, ei, poi"):
        BayesianOptimizationSampler(MLPSpace(8, 1, 20), 0, "lcb")

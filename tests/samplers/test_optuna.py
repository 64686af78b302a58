import importlib.util
import logging

import numpy as np
import optuna
import pytest

from nas_fpga.errors import InputError
from nas_fpga.samplers import NSGA2Sampler, Observation, OptunaGPSampler, RandomSampler, TPESampler
from nas_fpga.samplers._observed import observed
from nas_fpga.samplers._optuna import _Study
from nas_fpga.space import MLPSpace
from nas_fpga.testing import (
    ColumnConformance,
    GoalConformance,
    LearnedBitsConformance,
    SamplerConformance,
    SearchedSettingsConformance,
    observe,
)

SPACE = MLPSpace(8, 1, 200, max_layers=6)


class TestTPESampler(SamplerConformance):
    generations = 10
    most_seconds = 0.3

    @pytest.fixture
    def make_sampler(self):
        return lambda space, seed: TPESampler(space, seed, n_startup=5)


class TestTPESamplerOfColumns(ColumnConformance):
    generations = 10

    @pytest.fixture
    def make_sampler(self):
        return lambda space, seed: TPESampler(space, seed, n_startup=5)


class TestTPESamplerOfSettings(SearchedSettingsConformance):
    generations = 10

    @pytest.fixture
    def make_sampler(self):
        return lambda space, seed: TPESampler(space, seed, n_startup=5)


class TestTPESamplerOfLearnedBits(LearnedBitsConformance):
    generations = 10

    @pytest.fixture
    def make_sampler(self):
        return lambda space, seed: TPESampler(space, seed, n_startup=5)


class TestTPESamplerGoals(GoalConformance):
    @pytest.fixture
    def make_sampler_for(self):
        return lambda space, seed, goal: TPESampler(space, seed, goal=goal)


class TestNSGA2Sampler(SamplerConformance):
    generations = 10
    most_seconds = 0.3

    @pytest.fixture
    def make_sampler(self):
        return lambda space, seed: NSGA2Sampler(space, seed, n_startup=4, population=4)


class TestNSGA2SamplerOfColumns(ColumnConformance):
    generations = 10

    @pytest.fixture
    def make_sampler(self):
        return lambda space, seed: NSGA2Sampler(space, seed, n_startup=4, population=4)


class TestNSGA2SamplerOfSettings(SearchedSettingsConformance):
    generations = 10

    @pytest.fixture
    def make_sampler(self):
        return lambda space, seed: NSGA2Sampler(space, seed, n_startup=4, population=4)


class TestNSGA2SamplerOfLearnedBits(LearnedBitsConformance):
    generations = 10

    @pytest.fixture
    def make_sampler(self):
        return lambda space, seed: NSGA2Sampler(space, seed, n_startup=4, population=4)


class TestNSGA2SamplerGoals(GoalConformance):
    @pytest.fixture
    def make_sampler_for(self):
        return lambda space, seed, goal: NSGA2Sampler(space, seed, goal=goal, population=5)


def history_of(n, seed=0):
    return list(map(observe, RandomSampler(SPACE, seed).ask([], [], n)))


@pytest.mark.parametrize(("goal", "n_values"), [("front", 2), ("precision", 1)])
def test_a_study_is_told_values_constraints_and_what_is_running(goal, n_values):
    seen = observed(SPACE, history_of(6))
    places = SPACE.to_unit(seen.rows)
    study = _Study(optuna.samplers.RandomSampler(seed=0), goal, places, seen, [{"key": i} for i in range(6)])
    study.set_running(places[:2])
    study.set_running(places[:3])
    trials = study._study.trials
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 6 + ["RUNNING"] * 3
    for i, trial in enumerate(trials[:6]):
        assert trial.values == [seen.errors[i], seen.shares[i]][:n_values]
        assert trial.constraints == {"share": seen.shares[i]}
        assert trial.system_attrs["key"] == i
        assert list(trial.params.values()) == places[i].tolist()
    assert list(trials[8].params.values()) == places[2].tolist()
    point = study.ask()
    assert point.shape == (SPACE.n_unit,)
    assert study._study.trials[-1].state.name == "FAIL"  # until it comes back as what it was decoded to


def test_tpe_proposes_what_optuna_does_by_itself():
    history = history_of(30)
    (proposed,) = TPESampler(SPACE, 7, goal="precision").ask(history, [], 1)
    rows = SPACE.rows([observation.candidate for observation in history])
    seed = int(np.random.default_rng([7, 30]).integers(2**31))
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=0, multivariate=True))
    kinds = {f"x{i}": optuna.distributions.FloatDistribution(0, 1) for i in range(SPACE.n_unit)}
    for place, observation in zip(SPACE.to_unit(rows), history, strict=True):
        params = dict(zip(kinds, place.tolist(), strict=True))
        share = {"c": observation.log10_share}
        study.add_trial(
            optuna.create_trial(params=params, distributions=kinds, value=observation.log10_error, constraints=share)
        )
    point = np.array([list(study.ask(kinds).params.values())])
    assert SPACE.candidates(SPACE.from_unit(point)) == [proposed]


def test_generations_are_counted_as_optuna_counts_them():
    # Optuna's own bookkeeping of a study in which one trial ends before the next begins.
    study = optuna.create_study(sampler=optuna.samplers.NSGAIISampler(population_size=5, seed=0))
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=18)
    key = optuna.samplers.NSGAIISampler._get_generation_key()
    noted = [trial.system_attrs[key] for trial in study.trials]
    assert NSGA2Sampler(SPACE, 0, population=5)._attributes(18) == [{key: generation} for generation in noted]


def test_children_are_of_the_best_of_all_generations():
    # Widths of the first layer alone count, and the parents have the widest: children are made of their coordinates.
    space = MLPSpace(8, 1, 200, max_layers=1, weight_bits=(2, 8), activation_bits=(6, 6))
    candidates = RandomSampler(space, 0).ask([], [], 60)
    history = [Observation(c, "complete", -float(np.log10(c.n_neurons)), -1.0) for c in candidates]
    widest = sorted((c.n_neurons for c in candidates), reverse=True)[:10]
    children = NSGA2Sampler(space, 1, goal="precision", population=10).ask(history, [], 30)
    assert np.median([child.n_neurons for child in children]) >= widest[-1]


def test_of_many_trials_the_last_are_told(monkeypatch):
    monkeypatch.setattr(TPESampler, "most_told", 20)
    monkeypatch.setattr(NSGA2Sampler, "most_told", 20)
    history = history_of(57)
    seen = observed(SPACE, history)
    assert (TPESampler(SPACE, 0)._told(seen).errors == seen.errors[-20:]).all()
    assert (NSGA2Sampler(SPACE, 0, population=8)._told(seen).errors == seen.errors[40:]).all()  # generations 5 on
    assert len(TPESampler(SPACE, 0)._told(seen[:13])) == len(NSGA2Sampler(SPACE, 0)._told(seen[:13])) == 13


def test_nothing_is_said_and_what_optuna_says_is_left_as_it_was(caplog, capfd):
    before = optuna.logging.get_verbosity()
    with caplog.at_level(logging.DEBUG):
        TPESampler(SPACE, 0).ask(history_of(30), [], 2)
        NSGA2Sampler(SPACE, 0).ask(history_of(30), [], 2)
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == before


@pytest.mark.parametrize("goal", ["front", "precision"])
def test_tpe_beats_random_search(gain_over_random, goal):
    def make(space, seed, goal):
        return TPESampler(space, seed, n_startup=12, goal=goal)

    assert gain_over_random(make, 60, goal) > 2.13  # 95 %, 4 degrees of freedom


def test_the_gaussian_process_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs PyTorch; pip install 'nas-fpga\[optuna-gp\]'"):
        OptunaGPSampler(SPACE, 0)


def test_a_negative_start_is_refused():
    with pytest.raises(InputError, match="startup trials -1"):
        TPESampler(SPACE, 0, n_startup=-1)

"""Optuna's Gaussian process; PyTorch is an extra, which the continuous integration installs."""

import pytest

from nas_fpga.samplers import OptunaGPSampler
from nas_fpga.testing import GoalConformance, SamplerConformance

pytest.importorskip("torch")


class TestOptunaGPSampler(SamplerConformance):
    generations = 2
    most_seconds = 20.0

    @pytest.fixture
    def make_sampler(self):
        return lambda space, seed: OptunaGPSampler(space, seed, n_startup=10)


class TestOptunaGPSamplerGoals(GoalConformance):
    weighs_shares = True  # its model of the limits is one of shares

    @pytest.fixture
    def make_sampler_for(self):
        return lambda space, seed, goal: OptunaGPSampler(space, seed, goal=goal)

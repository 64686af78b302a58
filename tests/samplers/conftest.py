"""Searches of the stand-in objective, to compare samplers with random search."""

import numpy as np
import pytest

from nas_fpga.samplers import RandomSampler, hypervolume
from nas_fpga.samplers._losses import precision_loss
from nas_fpga.space import MLPSpace
from nas_fpga.testing import observe

SPACE = MLPSpace(8, 1, 200, max_layers=6)
N_SEEDS = 5


def outcome(sampler, n_trials, goal):
    """Return what a search in generations of four finds, larger for better by the goal."""
    history = []
    while len(history) < n_trials:
        history += map(observe, sampler.ask(history, [], 4))
    values = np.array([[o.log10_error, o.log10_share] for o in history]).T
    return hypervolume(*values) if goal == "front" else -precision_loss(*values).min()


@pytest.fixture
def gain_over_random():
    """Return a function: by how much a sampler beats random search, mean over seeds by its standard error."""

    def gain(make_sampler, n_trials, goal):
        gains = []
        for seed in range(N_SEEDS):
            model, random = make_sampler(SPACE, seed, goal), RandomSampler(SPACE, seed)
            gains.append(outcome(model, n_trials, goal) - outcome(random, n_trials, goal))
        return np.mean(gains) / (np.std(gains, ddof=1) / np.sqrt(N_SEEDS))

    return gain

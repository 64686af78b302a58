"""What is proposed where no training settings are searched, as recorded before they could be."""

import hashlib

import numpy as np
import pytest

from nas_fpga.samplers import BayesianOptimizationSampler, GaussianProcessSampler, GridSampler, RandomSampler
from nas_fpga.samplers import reference_grid as grid
from nas_fpga.space import MLPSpace
from nas_fpga.testing import observe

SPACE = MLPSpace(13, 1, 2000)


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def test_the_space():
    rows = SPACE.sample(np.random.default_rng(7), 1000)
    assert rows.dtype == np.int32
    assert digest(rows) == "0e2e950182a4a812"
    assert digest(SPACE.moves(np.random.default_rng(8), rows, 1000)) == "c122b04f7d2ae7fd"
    assert digest(SPACE.from_unit(np.random.default_rng(9).random((500, SPACE.n_unit)))) == "5478725611db8c32"
    assert digest(SPACE.from_unit(SPACE.to_unit(rows))) == digest(rows)
    assert digest(np.round(SPACE.encode(rows), 9)) == "1a48a13d9cf41f0d"
    assert digest(np.round(SPACE.to_unit(rows), 9)) == "04d4e92d1b10e955"


@pytest.mark.parametrize(
    ("sampler", "proposed"),
    [
        (RandomSampler(SPACE, 3), ["13-21-24 w2a2", "25-7 w2a2", "1127 w5a5"]),
        (GaussianProcessSampler(SPACE, 3), ["1 w2a2", "1-2-2-1-2-2-1 w3a2", "1-19-1-1-6 w7a2"]),
        (BayesianOptimizationSampler(SPACE, 3), ["45 w4a8"]),
        (GridSampler(SPACE, grid()), ["250-1500-1 w6a6", "500-1000-500 w6a6", "750-1-500 w6a6"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_samplers(sampler, proposed):
    history = [observe(candidate) for candidate in RandomSampler(SPACE, 3).ask([], [], 24)]
    assert [str(candidate) for candidate in sampler.ask(history, [], len(proposed))] == proposed

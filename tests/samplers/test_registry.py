import subprocess
import sys

import pytest

from nas_fpga.samplers import SAMPLERS, BayesianOptimizationSampler, GridSampler, SamplerOptions
from nas_fpga.space import MLPSpace


@pytest.mark.parametrize("name", ["gp", "random", "grid", "bayesian-optimization"])
def test_each_name_makes_a_sampler(name):
    space = MLPSpace(13, 1, 3000, max_width=1000)
    (candidate,) = SAMPLERS[name](space, 7, SamplerOptions()).ask([], [], 1)
    assert candidate in space


def test_options_arrive():
    space = MLPSpace(13, 1, 3000, max_width=1000)
    assert (375, 500, 375) in SAMPLERS["grid"](space, 0, SamplerOptions()).grid
    assert SAMPLERS["grid"](space, 0, SamplerOptions(grid="8,16x4")) == GridSampler(space, ((8, 4), (16, 4)))
    options = SamplerOptions(n_startup=3, acquisition="poi")
    assert SAMPLERS["bayesian-optimization"](space, 1, options) == BayesianOptimizationSampler(space, 1, "poi", 3)
    assert SAMPLERS["gp"](space, 1, options).n_startup == 3


def test_importing_samplers_and_space_is_light():
    code = "import sys, nas_fpga.samplers; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"keras", "jax", "tensorflow", "scipy", "sklearn", "bayes_opt", "pytest"} & set(loaded)

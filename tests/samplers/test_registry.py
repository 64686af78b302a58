import subprocess
import sys
from pathlib import Path

import pytest

from nas_fpga.errors import InputError
from nas_fpga.samplers import (
    SAMPLERS,
    BayesianOptimizationSampler,
    GridSampler,
    RandomSampler,
    SamplerOptions,
    find_sampler,
)
from nas_fpga.space import MLPSpace
from nas_fpga.testing import ColumnConformance, observe

SPACE = MLPSpace(13, 1, 3000, max_width=1000)
MINE = """
from dataclasses import dataclass

from nas_fpga.samplers import GaussianProcessSampler, RandomSampler

TEN = 10

class Mine(RandomSampler):
    pass

@dataclass(frozen=True)
class Drawn(GaussianProcessSampler):
    pending: str = "q-ei"

class OfNothing(RandomSampler):
    def __init__(self):
        pass

class Picky(RandomSampler):
    def __init__(self, space, seed):
        raise ValueError("no such space")
"""
LOOKS_AT_VALUES = (
    *("gp", "ambs", "bayesian-optimization", "tpe", "nsga2", "cmaes", "regularized-evolution", "local-search"),
)


def test_names():
    assert list(SAMPLERS) == [
        "gp",
        "ambs",
        "bayesian-optimization",
        "tpe",
        "optuna-gp",
        "nsga2",
        "cmaes",
        "regularized-evolution",
        "local-search",
        "random",
        "sobol",
        "latin-hypercube",
        "grid",
    ]


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name != "optuna-gp"])
def test_each_name_makes_a_sampler(name):
    (candidate,) = SAMPLERS[name](SPACE, 7, SamplerOptions()).ask([], [], 1)
    assert candidate in SPACE
    history = list(map(observe, RandomSampler(SPACE, 0).ask([], [], 4)))
    (candidate,) = SAMPLERS[name](SPACE, 7, SamplerOptions(goal="precision")).ask(history, [], 1)
    assert candidate in SPACE


def test_options_arrive():
    assert (375, 500, 375) in SAMPLERS["grid"](SPACE, 0, SamplerOptions()).grid
    assert SAMPLERS["grid"](SPACE, 0, SamplerOptions(grid="8,16x4")) == GridSampler(SPACE, ((8, 4), (16, 4)))
    options = SamplerOptions(goal="precision")
    for name in LOOKS_AT_VALUES:
        sampler = SAMPLERS[name](SPACE, 1, options)
        assert (sampler.space, sampler.seed, sampler.goal) == (SPACE, 1, "precision")
        assert SAMPLERS[name](SPACE, 1, SamplerOptions()).goal == "front"
    assert SAMPLERS["local-search"](SPACE, 1, SamplerOptions(generation=16)).generation == 16
    poi = BayesianOptimizationSampler(SPACE, 1, "poi")
    assert SAMPLERS["bayesian-optimization"](SPACE, 1, SamplerOptions(acquisition="poi")) == poi
    assert SAMPLERS["bayesian-optimization"](SPACE, 1, SamplerOptions()).acquisition == "ucb"


def test_your_own_is_found_by_module_and_class(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "broken.py").write_text("class Mine:")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in ("", str(tmp_path))])
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    sampler = find_sampler("mine:Mine")(SPACE, 7, SamplerOptions())
    assert type(sampler).__name__ == "Mine"
    assert (sampler.space, sampler.seed) == (SPACE, 7)
    assert sampler.ask([], [], 3) == RandomSampler(SPACE, 7).ask([], [], 3)
    with pytest.raises(InputError, match="--acquisition ei is not known to --sampler mine:Mine; leave it out"):
        find_sampler("mine:Mine")(SPACE, 7, SamplerOptions(acquisition="ei"))
    for name, message in (
        (
            "mine:Yours",
            "--sampler mine:Yours cannot be loaded: module 'mine' has no attribute 'Yours'; start where mine",
        ),
        ("yours:Mine", "--sampler yours:Mine cannot be loaded: No module named 'yours'; start where yours.py is"),
        ("broken:Mine", "--sampler broken:Mine cannot be loaded: .*; start where broken.py is"),
        (".mine:Mine", "--sampler .mine:Mine cannot be loaded: "),
        ("mine:TEN", "--sampler mine:TEN is no sampler; make it a subclass of nas_fpga.Sampler"),
        ("mine", "--sampler mine is none of gp, .*, grid, nor MODULE:CLASS, one of your own"),
        (":Mine", "--sampler :Mine is none of gp"),
    ):
        with pytest.raises(InputError, match=message):
            find_sampler(name)
    assert find_sampler("mine:Drawn")(SPACE, 7, SamplerOptions()).pending == "q-ei"
    for name, cause in (("OfNothing", ""), ("Picky", "no such space")):
        with pytest.raises(InputError, match=f"--sampler mine:{name} cannot be made with a space and a seed: {cause}"):
            find_sampler(f"mine:{name}")(SPACE, 7, SamplerOptions())


@pytest.mark.parametrize("name", LOOKS_AT_VALUES)
def test_unknown_goals_are_refused(name):
    with pytest.raises(InputError, match="goal 'frnt' is not one of front, precision"):
        SAMPLERS[name](SPACE, 1, SamplerOptions(goal="frnt"))


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name != "bayesian-optimization"])
def test_acquisition_functions_are_refused_where_they_are_not_known(name):
    with pytest.raises(InputError, match=f"--acquisition poie is not known to --sampler {name}; "):
        SAMPLERS[name](SPACE, 1, SamplerOptions(acquisition="poie"))


def test_a_grid_is_of_topologies():
    with pytest.raises(InputError, match="--sampler grid is for topologies"):
        SAMPLERS["grid"](ColumnConformance.space, 0, SamplerOptions())


def test_the_help_names_them_all():
    from nas_fpga.cli import _search_options

    text = " ".join(Path(_search_options.__file__).read_text().replace('"', " ").split())
    for name, entry in SAMPLERS.items():
        assert f"{name} ({entry.word})" in text


def test_importing_samplers_and_space_is_light():
    code = "import sys, nas_fpga.samplers; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"keras", "jax", "tensorflow", "scipy", "sklearn", "bayes_opt", "cmaes", "optuna", "torch", "pytest"}
    assert not heavy & set(loaded)

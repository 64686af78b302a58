"""The samplers by the names that the command line gives them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from nas_fpga.errors import InputError
from nas_fpga.samplers._base import Goal, Sampler
from nas_fpga.samplers._bayesian_optimization import BayesianOptimizationSampler
from nas_fpga.samplers._cmaes import CMAESSampler
from nas_fpga.samplers._evolution import RegularizedEvolutionSampler
from nas_fpga.samplers._forest import ForestSampler
from nas_fpga.samplers._gaussian_process import GaussianProcessSampler
from nas_fpga.samplers._grid import GridSampler, parse_grid, reference_grid
from nas_fpga.samplers._local_search import LocalSearchSampler
from nas_fpga.samplers._optuna import NSGA2Sampler, OptunaGPSampler, TPESampler
from nas_fpga.samplers._quasi_random import LatinHypercubeSampler, SobolSampler
from nas_fpga.samplers._random import RandomSampler
from nas_fpga.space import MLPSpace, Space


@dataclass(frozen=True)
class SamplerOptions:
    """What a search sets; each sampler reads what concerns it.

    Attributes:
        grid: Text of a grid, None for the reference grid scaled to the space's largest width.
        goal: What the search is after.
        acquisition: Acquisition function, one that :data:`SAMPLERS` lists; None for the sampler's own default.
        generation: Candidates proposed together.
    """

    grid: str | None = None
    goal: Goal = "front"
    acquisition: str | None = None
    generation: int = 4


@dataclass(frozen=True)
class SamplerEntry:
    """A sampler of the command line.

    Attributes:
        name: What the command line calls it.
        word: What it is, in a few words.
        make: From space, seed and options to the sampler.
        acquisitions: The acquisition functions that it can be given.
    """

    name: str
    word: str
    make: Callable[[Any, int, SamplerOptions], Sampler[Any]]
    acquisitions: tuple[str, ...] = ()

    def __call__(self, space: Space[Any], seed: int, options: SamplerOptions) -> Sampler[Any]:
        """Return the sampler.

        Raises:
            InputError: It cannot be had with this space, these options, or what is installed.
        """
        self.refuse_unknown(options.acquisition)
        return self.make(space, seed, options)

    def refuse_unknown(self, acquisition: str | None) -> None:
        """Refuse an acquisition function that the sampler does not know.

        Raises:
            InputError: It names those that it does.
        """
        if acquisition is not None and acquisition not in self.acquisitions:
            known = f"give one of {', '.join(self.acquisitions)}" if self.acquisitions else "leave it out"
            raise InputError(f"--acquisition {acquisition} is not known to --sampler {self.name}; {known}")


def _modelled(sampler: Callable[..., Sampler[Any]]) -> Callable[[Any, int, SamplerOptions], Sampler[Any]]:
    """Return what makes a sampler that has a goal, with its own defaults where no option is given."""

    def make(space: Space[Any], seed: int, options: SamplerOptions) -> Sampler[Any]:
        given = {} if options.acquisition is None else {"acquisition": options.acquisition}
        return sampler(space, seed, goal=options.goal, **given)

    return make


def _local_search(space: Space[Any], seed: int, options: SamplerOptions) -> Sampler[Any]:
    return _modelled(partial(LocalSearchSampler, generation=options.generation))(space, seed, options)


def _grid(space: Space[Any], _seed: int, options: SamplerOptions) -> Sampler[Any]:
    if not isinstance(space, MLPSpace):
        raise InputError("--sampler grid is for topologies; take --sampler sobol")
    return GridSampler(space, parse_grid(options.grid) if options.grid else reference_grid(space.width_limit))


_ENTRIES = (
    SamplerEntry("gp", "Gaussian process", _modelled(GaussianProcessSampler), GaussianProcessSampler.acquisitions),
    SamplerEntry("ambs", "random forest", _modelled(ForestSampler)),
    SamplerEntry(
        "bayesian-optimization",
        "the library of that name",
        _modelled(BayesianOptimizationSampler),
        BayesianOptimizationSampler.acquisitions,
    ),
    SamplerEntry("tpe", "Optuna's Parzen estimators", _modelled(TPESampler)),
    SamplerEntry("optuna-gp", "Optuna's Gaussian process, with PyTorch", _modelled(OptunaGPSampler)),
    SamplerEntry("nsga2", "Optuna's genetic algorithm", _modelled(NSGA2Sampler)),
    SamplerEntry("cmaes", "evolution strategy", lambda space, seed, options: CMAESSampler(space, seed, options.goal)),
    SamplerEntry("regularized-evolution", "moves of young ones", _modelled(RegularizedEvolutionSampler)),
    SamplerEntry("local-search", "moves of the best", _local_search),
    SamplerEntry("random", "no method", lambda space, seed, _: RandomSampler(space, seed)),
    SamplerEntry("sobol", "Sobol's sequence", lambda space, seed, _: SobolSampler(space, seed)),
    SamplerEntry("latin-hypercube", "a hundred points each", lambda space, seed, _: LatinHypercubeSampler(space, seed)),
    SamplerEntry("grid", "see --grid", _grid),
)
SAMPLERS: dict[str, SamplerEntry] = {entry.name: entry for entry in _ENTRIES}


def find_sampler(name: str) -> SamplerEntry:
    """Return the sampler of a name: one of :data:`SAMPLERS`, or a class of your own as ``MODULE:CLASS``.

    The module is looked for in the working directory first, as Python itself does; the class is made with space and
    seed.

    Raises:
        InputError: There is none of that name, or it is no sampler.
    """
    if name in SAMPLERS:
        return SAMPLERS[name]
    module, _, of_class = name.partition(":")
    if not (module and of_class):
        raise InputError(f"--sampler {name} is none of {', '.join(SAMPLERS)}, nor MODULE:CLASS, one of your own")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        found = getattr(importlib.import_module(module), of_class)
    except Exception as error:  # whatever the user's module runs into
        raise InputError(f"--sampler {name} cannot be loaded: {error}; start where {module}.py is") from error
    if not (isinstance(found, type) and issubclass(found, Sampler)):
        raise InputError(f"--sampler {name} is no sampler; make it a subclass of nas_fpga.Sampler")
    return SamplerEntry(name, "your own", partial(_your_own, name, found))


def _your_own(
    name: str, of_space_and_seed: Callable[..., Sampler[Any]], space: Space[Any], seed: int, _: SamplerOptions
) -> Sampler[Any]:
    try:
        return of_space_and_seed(space, seed)
    except Exception as error:  # whatever the user's class runs into
        raise InputError(f"--sampler {name} cannot be made with a space and a seed: {error}") from error

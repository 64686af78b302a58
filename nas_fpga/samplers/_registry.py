"""The samplers by the names that the command line gives them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
    """What the command line may set; each sampler reads what concerns it.

    Attributes:
        n_startup: Random trials before a model proposes; None for the sampler's own default.
        grid: Text of a grid, None for the reference grid scaled to the space's largest width.
        goal: What the search is after.
        acquisition: Acquisition function, one that :data:`SAMPLERS` lists; None for the sampler's own default.
    """

    n_startup: int | None = None
    grid: str | None = None
    goal: Goal = "front"
    acquisition: str | None = None


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
        options_of_it = {"n_startup": options.n_startup, "acquisition": options.acquisition}
        given = {name: value for name, value in options_of_it.items() if value is not None}
        return sampler(space, seed, goal=options.goal, **given)

    return make


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
    SamplerEntry("local-search", "moves of the best", _modelled(LocalSearchSampler)),
    SamplerEntry("random", "no method", lambda space, seed, _: RandomSampler(space, seed)),
    SamplerEntry("sobol", "Sobol's sequence", lambda space, seed, _: SobolSampler(space, seed)),
    SamplerEntry("latin-hypercube", "a hundred points each", lambda space, seed, _: LatinHypercubeSampler(space, seed)),
    SamplerEntry("grid", "see --grid", _grid),
)
SAMPLERS: dict[str, SamplerEntry] = {entry.name: entry for entry in _ENTRIES}

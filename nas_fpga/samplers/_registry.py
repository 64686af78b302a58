"""The samplers by the names that the command line gives them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nas_fpga.samplers._base import Sampler
from nas_fpga.samplers._bayesian_optimization import Acquisition, BayesianOptimizationSampler
from nas_fpga.samplers._gaussian_process import GaussianProcessSampler
from nas_fpga.samplers._grid import GridSampler, parse_grid, reference_grid
from nas_fpga.samplers._random import RandomSampler
from nas_fpga.space import Candidate, MLPSpace


@dataclass(frozen=True)
class SamplerOptions:
    """What the command line may set; each sampler reads what concerns it.

    Attributes:
        n_startup: Random trials before a model proposes.
        grid: Text of a grid, None for the reference grid scaled to the space's largest width.
        acquisition: Acquisition function of `bayesian-optimization`.
    """

    n_startup: int = 20
    grid: str | None = None
    acquisition: Acquisition = "ucb"


SamplerFactory = Callable[[MLPSpace, int, SamplerOptions], Sampler[Candidate]]
"""Space, seed and options to a sampler."""


def _grid(space: MLPSpace, _seed: int, options: SamplerOptions) -> Sampler[Candidate]:
    return GridSampler(space, parse_grid(options.grid) if options.grid else reference_grid(space.width_limit))


SAMPLERS: dict[str, SamplerFactory] = {
    "gp": lambda space, seed, options: GaussianProcessSampler(space, seed, options.n_startup),
    "random": lambda space, seed, _: RandomSampler(space, seed),
    "grid": _grid,
    "bayesian-optimization": lambda space, seed, options: BayesianOptimizationSampler(
        space, seed, options.acquisition, options.n_startup
    ),
}

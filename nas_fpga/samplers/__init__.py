"""Samplers: what proposes the next candidates."""

from nas_fpga.samplers._base import Goal, History, Observation, Sampler
from nas_fpga.samplers._bayesian_optimization import BayesianOptimizationSampler
from nas_fpga.samplers._cmaes import CMAESSampler
from nas_fpga.samplers._evolution import RegularizedEvolutionSampler
from nas_fpga.samplers._forest import ForestSampler
from nas_fpga.samplers._gaussian_process import GaussianProcessSampler
from nas_fpga.samplers._grid import Grid, GridSampler, parse_grid, reference_grid
from nas_fpga.samplers._hypervolume import hypervolume, non_dominated
from nas_fpga.samplers._local_search import LocalSearchSampler
from nas_fpga.samplers._optuna import NSGA2Sampler, OptunaGPSampler, OptunaSampler, TPESampler
from nas_fpga.samplers._quasi_random import LatinHypercubeSampler, SobolSampler
from nas_fpga.samplers._random import RandomSampler
from nas_fpga.samplers._registry import SAMPLERS, SamplerEntry, SamplerOptions, find_sampler
from nas_fpga.samplers._regression import upper_fence

__all__ = [
    "SAMPLERS",
    "BayesianOptimizationSampler",
    "CMAESSampler",
    "ForestSampler",
    "GaussianProcessSampler",
    "Goal",
    "Grid",
    "GridSampler",
    "History",
    "LatinHypercubeSampler",
    "LocalSearchSampler",
    "NSGA2Sampler",
    "Observation",
    "OptunaGPSampler",
    "OptunaSampler",
    "RandomSampler",
    "RegularizedEvolutionSampler",
    "Sampler",
    "SamplerEntry",
    "SamplerOptions",
    "SobolSampler",
    "TPESampler",
    "find_sampler",
    "hypervolume",
    "non_dominated",
    "parse_grid",
    "reference_grid",
    "upper_fence",
]

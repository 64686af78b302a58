"""Samplers: what proposes the next candidates."""

from nas_fpga.samplers._base import Goal, History, Observation, Sampler
from nas_fpga.samplers._bayesian_optimization import ACQUISITIONS, Acquisition, BayesianOptimizationSampler
from nas_fpga.samplers._gaussian_process import GaussianProcessSampler
from nas_fpga.samplers._grid import Grid, GridSampler, parse_grid, reference_grid
from nas_fpga.samplers._hypervolume import hypervolume, non_dominated
from nas_fpga.samplers._random import RandomSampler
from nas_fpga.samplers._registry import SAMPLERS, SamplerFactory, SamplerOptions

__all__ = [
    "ACQUISITIONS",
    "SAMPLERS",
    "Acquisition",
    "BayesianOptimizationSampler",
    "GaussianProcessSampler",
    "Goal",
    "Grid",
    "GridSampler",
    "History",
    "Observation",
    "RandomSampler",
    "Sampler",
    "SamplerFactory",
    "SamplerOptions",
    "hypervolume",
    "non_dominated",
    "parse_grid",
    "reference_grid",
]

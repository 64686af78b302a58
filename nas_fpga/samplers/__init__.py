"""Samplers: what proposes the next candidates."""

from nas_fpga.samplers._base import History, Observation, Sampler

__all__ = ["History", "Observation", "Sampler"]

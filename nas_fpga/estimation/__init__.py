"""Estimates: what a model or topology costs on an FPGA, layer by layer. Importing this needs no Keras and no study."""

from nas_fpga.estimation._estimate import RUNGS, Estimate, estimate
from nas_fpga.estimation._plot import plot_layers

__all__ = ["RUNGS", "Estimate", "estimate", "plot_layers"]

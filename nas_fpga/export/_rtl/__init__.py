"""RTL of a design: one da4ml netlist behind fixed ports, with its test bench, and the simulation that proves it."""

from nas_fpga.export._rtl._simulate import RtlSimulation, simulate_rtl
from nas_fpga.export._rtl._write import write_rtl

__all__ = ["RtlSimulation", "simulate_rtl", "write_rtl"]

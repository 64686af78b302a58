"""Measured ratios between the stages of the tool flow. Everything is ranked at `place-and-route`.

Vivado HLS and Vitis HLS estimate (`csynth`) more than is placed in the end. The ratios are of 15 reports of eight
neural networks, csynth against logic synthesis (three by Vivado, 12 by Yosys; networks only, as other designs behave
otherwise: a BDT has 25): geometric mean over networks, and the 90 % prediction interval (Student, networks as units)
for a ninth one. That placement moves LUTs by less than that is an assumption.
"""

from __future__ import annotations

import math

# csynth = ratio * placed, with the half-width of the interval's logarithm
CSYNTH_LUT_RATIO, CSYNTH_LUT_SPREAD = 1.76, 0.58
CSYNTH_FF_RATIO, CSYNTH_FF_SPREAD = 1.55, 0.71
CSYNTH_DSP_RATIO = 1.02
# Placed LUTs over da4ml's cost: 20 JEDI-linear designs on a VU13P, 0.97-1.13; seven Yosys runs .88-1.19.
ADDER_GRAPH_LUT_RATIO, ADDER_GRAPH_LUT_SPREAD = 1.05, 0.12
# Placed LUTs over Yosys' of the same netlist: no report has both. Yosys' over da4ml's cost are .90-1.00 in the first
# six of benchmarks/estimators/networks.csv and .88-1.19 in seven networks of random weights, 1.01 on average.
SYNTHESIS_LUT_RATIO, SYNTHESIS_LUT_SPREAD = 1.04, 0.17
# Flip-flops of Yosys over the bits of da4ml's registers in those six: .90-.99. That placement keeps them is assumed.
NETLIST_FF_RATIO, NETLIST_FF_SPREAD = 0.95, 0.1


def combined(*half_widths: float) -> float:
    """Return the half-width of independent factors, each given as the half-width of its logarithm."""
    return math.hypot(*half_widths)

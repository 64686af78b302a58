"""Measured ratios between the stages of the tool flow: those that are shipped, for designs of nobody in particular.

Vivado HLS and Vitis HLS estimate (`csynth`) more than is placed in the end. The ratios are of 15 reports of eight
neural networks, csynth against logic synthesis (three by Vivado, 12 by Yosys; networks only, as other designs behave
otherwise: a BDT has 25): geometric mean over networks, and the 90 % prediction interval (Student, networks as units)
for a ninth one. That placement moves LUTs by less than that is an assumption.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nas_fpga.hardware._figures import Resource, Stage
from nas_fpga.hardware._strategies import Strategy

# csynth = ratio * placed, with the half-width of the interval's logarithm
CSYNTH_LUT_RATIO, CSYNTH_LUT_SPREAD = 1.76, 0.58
CSYNTH_FF_RATIO, CSYNTH_FF_SPREAD = 1.55, 0.71
CSYNTH_DSP_RATIO = 1.02
# Placed LUTs over the adder graph's: 20 JEDI-linear designs on a VU13P have .97-1.13 of da4ml's cost; for a further one
# within 9 % (benchmarks/estimators/period.json).
ADDER_GRAPH_LUT_RATIO, ADDER_GRAPH_LUT_SPREAD = 1.05, 0.10
# Placed LUTs over Yosys' of the same netlist: no report has both. Yosys counts .958 of the adder graph's LUTs in the
# seen half of benchmarks/estimators/networks.csv, for a further network within 10 %; those above within 9 %.
SYNTHESIS_LUT_RATIO, SYNTHESIS_LUT_SPREAD = 1.096, 0.12
# Flip-flops of Yosys over the bits of da4ml's registers in that half: .84-.99. That placement keeps them is assumed.
NETLIST_FF_RATIO, NETLIST_FF_SPREAD = 0.93, 0.10

LAW_STAGES: dict[Strategy, Stage] = {
    "distributed_arithmetic": "adder-graph",
    "latency": "csynth",
    "resource": "csynth",
}
"""The stage that the laws of a strategy speak of where their figures have an original."""


@dataclass(frozen=True)
class StageRatio:
    """How much of a resource is there after place and route for each one that a stage counts.

    Attributes:
        stage: Which counts; `estimate` is what the laws say of place and route.
        strategy: Of the designs; None for all.
        resource: What is counted.
        ratio: Placed over counted.
        spread: Half-width of the 90 % interval of its logarithm, for a further design.
        n_designs: Networks that it rests on; 0 where it is an assumption.
        sizes: Least and most that the stage counted in them; None where all sizes are taken to be alike.
        reference: The last stage of those designs, carried on from there.
    """

    stage: Stage
    strategy: Strategy | None
    resource: Resource
    ratio: float
    spread: float
    n_designs: int
    sizes: tuple[float, float] | None = None
    reference: Stage = "place-and-route"


SHIPPED: tuple[StageRatio, ...] = (
    StageRatio("csynth", None, "lut", 1 / CSYNTH_LUT_RATIO, CSYNTH_LUT_SPREAD, 8, reference="logic-synthesis"),
    StageRatio("csynth", None, "ff", 1 / CSYNTH_FF_RATIO, CSYNTH_FF_SPREAD, 8, reference="logic-synthesis"),
    # six of the eight networks have DSPs: 1.00 to 1.11
    StageRatio("csynth", None, "dsp", 1 / CSYNTH_DSP_RATIO, 0.08, 6, reference="logic-synthesis"),
    StageRatio("adder-graph", None, "lut", ADDER_GRAPH_LUT_RATIO, ADDER_GRAPH_LUT_SPREAD, 20),
    StageRatio("adder-graph", None, "ff", NETLIST_FF_RATIO, NETLIST_FF_SPREAD, 24, reference="logic-synthesis"),
    StageRatio("logic-synthesis", None, "lut", SYNTHESIS_LUT_RATIO, SYNTHESIS_LUT_SPREAD, 0),
    StageRatio("logic-synthesis", None, "ff", 1.0, NETLIST_FF_SPREAD, 0),
    # No report is of both; that placement moves LUTs and flip-flops no further is an assumption.
    StageRatio("vendor-synthesis", None, "lut", 1.0, 0.15, 0),
    StageRatio("vendor-synthesis", None, "ff", 1.0, 0.15, 0),
    # What the laws say, with their own intervals inside the reports (`_adder_law.py`, `_hls_laws.py`).
    StageRatio("estimate", "distributed_arithmetic", "lut", 1.0, math.hypot(0.15, ADDER_GRAPH_LUT_SPREAD), 0),
    StageRatio("estimate", "distributed_arithmetic", "ff", 1.0, math.hypot(0.15, ADDER_GRAPH_LUT_SPREAD, 0.32), 0),
    StageRatio("estimate", "latency", "lut", 1.0, 0.45, 0),
    StageRatio("estimate", "latency", "ff", 1.0, math.hypot(0.36, CSYNTH_FF_SPREAD), 0),
    StageRatio("estimate", "resource", "lut", 1.0, math.hypot(0.01, CSYNTH_LUT_SPREAD), 0),
    StageRatio("estimate", "resource", "ff", 1.0, math.hypot(0.033, CSYNTH_FF_SPREAD), 0),
)
"""What is not named is counted alike at all stages, see :func:`shipped_ratio`."""
# DSPs and block memories that no ratio above is of: tools bind them once, so 1 within this; an assumption.
_ALIKE_SPREAD = 0.05


def shipped_ratio(
    stage: Stage, strategy: Strategy | None, resource: Resource, table: Sequence[StageRatio] = SHIPPED
) -> StageRatio:
    """Return the ratio of a stage to place and route for designs of one strategy, from the shipped table or another."""
    if stage == "place-and-route":
        return StageRatio(stage, strategy, resource, 1.0, 0.0, 0)
    known = {(each.stage, each.strategy, each.resource): each for each in table}
    found = known.get((stage, strategy, resource)) or known.get((stage, None, resource))
    return found or StageRatio(stage, strategy, resource, 1.0, _ALIKE_SPREAD, 0)


def combined(*half_widths: float) -> float:
    """Return the half-width of independent factors, each given as the half-width of its logarithm."""
    return math.hypot(*half_widths)

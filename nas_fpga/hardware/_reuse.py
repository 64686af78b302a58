"""The reuse factors that a layer may have in hls4ml's Resource strategy, with what each costs."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from nas_fpga.hardware._cost_array import HIGH, LOW, QUANTITIES, VALUE
from nas_fpga.hardware._figures import RESOURCES, Figure
from nas_fpga.hardware._hls_laws import resource_strategy
from nas_fpga.hardware._limits import Target
from nas_fpga.hardware._mappings import buildable_reuse_factors
from nas_fpga.hardware._points import UNITS
from nas_fpga.hardware._rank_stage import at_rank_stage, how_carried
from nas_fpga.hardware._traits import Array, LayerTraits


@dataclass(frozen=True)
class ReuseOption:
    """One dense layer alone at one reuse factor, at the stage of ranking.

    Attributes:
        reuse_factor: hls4ml takes it as it is.
        lut: Look-up tables.
        dsp: DSP slices.
        bram18: Block memories of 18 Kbit.
        latency_cycles: Clock cycles from its first input to its last output.
        ii_cycles: Clock cycles between two inputs.
    """

    reuse_factor: int
    lut: Figure
    dsp: Figure
    bram18: Figure
    latency_cycles: Figure
    ii_cycles: Figure


_FIGURES = [field.name for field in fields(ReuseOption) if field.name != "reuse_factor"]


def reuse_options(traits: LayerTraits, target: Target) -> tuple[tuple[ReuseOption, ...], ...]:
    """Return the options of every layer `(n_layers,)`, reuse factors ascending.

    Those that the tools refuse are left out: 1 where a layer has too many weights to be unrolled.
    """
    found = []
    for k, (n_in, n_out) in enumerate(zip(traits.n_in.tolist(), traits.n_out.tolist(), strict=True)):
        factors = buildable_reuse_factors("resource", int(n_in), int(n_out))
        alone = LayerTraits(**{f.name: getattr(traits, f.name)[k : k + 1] for f in fields(LayerTraits)})
        laws = resource_strategy(alone, np.array(factors, np.float64)[:, None], 0, target.clock_ns)
        costs = at_rank_stage(laws, "resource", target)
        found.append(tuple(_option(factor, costs[..., i], laws[..., i], target) for i, factor in enumerate(factors)))
    return tuple(found)


def _option(factor: int, costs: Array, laws: Array, target: Target) -> ReuseOption:
    """Return the option of a column of two cost arrays, `(7, 4)` each: at the stage of ranking and as laws gave it."""
    source = "law of hls4ml Resource reports; csynth carried to place-and-route"
    found = {}
    for name, row, law in zip(QUANTITIES, costs.tolist(), laws.tolist(), strict=True):
        if name in _FIGURES:
            how = how_carried(law, "resource", name, target) if name in RESOURCES else ""
            found[name] = Figure(row[VALUE], UNITS[name], target.rank_stage, row[LOW], row[HIGH], source + how)
    return ReuseOption(factor, **found)

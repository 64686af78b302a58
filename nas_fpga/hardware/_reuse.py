"""The reuse factors that a layer may have in hls4ml's Resource strategy, with what each costs."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from nas_fpga.hardware._cost_array import HIGH, LOW, QUANTITIES, VALUE
from nas_fpga.hardware._figures import Figure
from nas_fpga.hardware._hls_laws import resource_strategy
from nas_fpga.hardware._limits import Target
from nas_fpga.hardware._mappings import buildable_reuse_factors
from nas_fpga.hardware._points import UNITS
from nas_fpga.hardware._rank_stage import at_rank_stage
from nas_fpga.hardware._traits import LayerTraits


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


def reuse_options(traits: LayerTraits, target: Target) -> tuple[tuple[ReuseOption, ...], ...]:
    """Return the options of every layer `(n_layers,)`, reuse factors ascending.

    Those that the tools refuse are left out: 1 where a layer has too many weights to be unrolled.
    """
    source = "law of hls4ml Resource reports; csynth carried to place-and-route"
    names = [field.name for field in fields(ReuseOption) if field.name != "reuse_factor"]
    found = []
    for k, (n_in, n_out) in enumerate(zip(traits.n_in.tolist(), traits.n_out.tolist(), strict=True)):
        factors = buildable_reuse_factors("resource", int(n_in), int(n_out))
        alone = LayerTraits(**{f.name: getattr(traits, f.name)[k : k + 1] for f in fields(LayerTraits)})
        laws = resource_strategy(alone, np.array(factors, np.float64)[:, None], 0, target.clock_ns)
        costs = at_rank_stage(laws, "resource", target)
        found.append(
            tuple(
                ReuseOption(
                    factor,
                    **{
                        name: Figure(value, UNITS[name], target.rank_stage, low, high, source)
                        for name in names
                        for q in [QUANTITIES.index(name)]
                        for value, low, high in [costs[q, [VALUE, LOW, HIGH], i].tolist()]
                    },
                )
                for i, factor in enumerate(factors)
            )
        )
    return tuple(found)

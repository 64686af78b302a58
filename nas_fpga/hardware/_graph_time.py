"""How long da4ml takes for the adder graph of a layer, from what its weights look like: never from a clock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nas_fpga.hardware._traits import Array, LayerTraits

MOST_GRAPH_S = 60.0
"""Seconds that the adder graphs of a network may be expected to take."""

# Fit of benchmarks/hardware/graph_seconds.py to da4ml 0.6.0, one core: 32 layers of 0.3 to 68 s. Of a layer that was
# left out measured seconds are .73 to 1.51 times these (90 %). Beyond 17,000 signed digits this is extrapolated: 400
# x 32 weights of 6 bits with 18,700 took 2.4 times as long.
_PER_DIGITS_SQUARED_S = 9.84e-8  # each pair of digits may be shared
_PER_DIGITS_CUBED_S = 4.74e-9  # over the outputs squared: many digits in each output
_PER_WIDTHS_S = 7.89e-7  # inputs times outputs squared


def layer_graph_s(traits: LayerTraits) -> Array:
    """Return the seconds `(n_layers,)` that the adder graph of each layer is expected to take on one core."""
    digits, outputs = traits.csd_digits, np.maximum(traits.busy_outputs, 1.0)
    pairs = _PER_DIGITS_SQUARED_S * digits**2 + _PER_DIGITS_CUBED_S * digits**3 / outputs**2
    seconds: Array = pairs + _PER_WIDTHS_S * traits.busy_inputs * outputs**2
    return seconds


def layers_in_time(traits: LayerTraits, most_s: float) -> NDArray[np.bool_]:
    """Return the layers `(n_layers,)` whose adder graphs fit in a time: the quickest, as many as there is time for."""
    seconds = layer_graph_s(traits)
    order = np.argsort(seconds, kind="stable")
    within = np.zeros(len(seconds), np.bool_)
    within[order] = np.cumsum(seconds[order]) <= most_s
    return within

"""How long da4ml takes for the adder graph of a layer, from what its weights look like: never from a clock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nas_fpga.hardware._traits import Array, LayerTraits

MOST_GRAPH_S = 60.0
"""Seconds that the adder graphs of a network may be expected to take."""

# Fit of benchmarks/hardware/graph_seconds.py to da4ml 0.6.0, one core: 31 layers of 0.3 to 38 s. Of a layer that was
# left out measured seconds are .5 to 2.4 times these (90 %). Beyond 14,000 signed digits this is extrapolated.
_CONSTANT_LOG = -15.980
_POWERS = {"csd_digits": 1.078, "n_in": 0.761, "n_out": 0.894, "weight_bits": 0.590}


def expected_graph_s(traits: LayerTraits) -> Array:
    """Return the seconds `(n_layers,)` that the adder graph of each layer is expected to take on one core."""
    logs = (power * np.log(np.maximum(getattr(traits, name), 1.0)) for name, power in _POWERS.items())
    seconds: Array = np.where(traits.csd_digits > 0, np.exp(sum(logs, start=_CONSTANT_LOG)), 0.0)
    return seconds


def layers_in_time(traits: LayerTraits, most_s: float) -> NDArray[np.bool_]:
    """Return the layers `(n_layers,)` whose adder graphs fit in a time: the quickest, as many as there is time for."""
    seconds = expected_graph_s(traits)
    order = np.argsort(seconds, kind="stable")
    within = np.zeros(len(seconds), np.bool_)
    within[order] = np.cumsum(seconds[order]) <= most_s
    return within

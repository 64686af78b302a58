"""The encoding of architectures that models learn from."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nas_fpga.space._rows import Rows, depths_of, n_params_of, narrowest_of, totals_of, widths_of

_POSITIONS = np.linspace(0, 1, 5)  # relative depths at which a topology is read


def features_of(
    rows: Rows, n_inputs: int, n_outputs: int, *, budget: int, max_layers: int, max_bits: int
) -> NDArray[np.float64]:
    """Return features of architectures `(n, 11)`, about 0 to 1, in which similar networks are near at any depth.

    They are the logarithms of depth, total, narrowest layer and parameters, of the widths at five relative depths
    (interpolated), and of both bit widths. Rows of any padding are taken.

    Args:
        rows: Architectures.
        n_inputs: Features of the data set.
        n_outputs: Logits of the network.
        budget: Most hidden neurons, which the unit is made of; so are the two below.
        max_layers: Most hidden layers.
        max_bits: Most bits.
    """
    widths = widths_of(rows)
    depths = depths_of(rows)
    log_widths = np.log(np.maximum(widths, 1))
    places = _POSITIONS * (depths[:, None] - 1)
    left = np.floor(places).astype(np.int64)
    right = np.minimum(left + 1, depths[:, None] - 1)
    fraction = places - left
    profile = (1 - fraction) * np.take_along_axis(log_widths, left, 1)
    profile += fraction * np.take_along_axis(log_widths, right, 1)
    unit = math.log(max(budget, 2))
    params = np.log(n_params_of(rows, n_inputs, n_outputs))
    return np.column_stack(
        [
            np.log(depths) / math.log(max(max_layers, 2)),
            np.log(totals_of(rows)) / unit,
            np.log(narrowest_of(rows)) / unit,
            params / (2 * unit),
            profile / unit,
            np.log2(rows[:, -2:]) / math.log2(max_bits),
        ]
    )

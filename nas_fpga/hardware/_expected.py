"""What trained weights are expected to look like before training: one distribution for every bit width, tabulated."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from nas_fpga.hardware._traits import Array, LayerTraits
from nas_fpga.hardware._weights import csd_digits, needs_dsp
from nas_fpga.training import effective_bits

# Weights after training with quantization are taken as Gaussian; the largest of a layer lies in the upper half of the
# range of its bits (their integer bits come from it), on average at this share of the range's end ...
TOP_SHARE = 0.72
# ... and at this many standard deviations (3.2 is that of 1,000 Gaussian weights; trained ones have longer tails).
TOP_SIGMAS = 4.0
# Half-width of the 90 % interval of the logarithm of costs for what the above does not know of a network.
WEIGHTS_SPREAD, WEIGHTS_SPREAD_PER_BIT = 0.3, 1.6  # plus the second over the weight bits: coarse weights are sparse
MAX_WEIGHT_BITS = 16

_GRID = 24  # points of the table over the number of outputs, two for each power of two


@functools.cache
def _weight_row(bits: int) -> tuple[Array, Array]:
    """Return expectations of weights of so many bits: `(3,)` of one weight, `(24, 3)` of distinct ones by outputs.

    The three of one weight are: not zero, enclosed bits, signed digits; the three of distinct ones: powers, others and
    DSP products of one input with ``2**(grid / 2)`` outputs.
    """
    end = 2 ** (bits - 1)
    integers = np.arange(-end, max(end, 1))
    sigma = TOP_SHARE * end / TOP_SIGMAS
    edges = np.array([math.erf((q - 0.5) / sigma / math.sqrt(2)) for q in (*integers, integers[-1] + 1)])
    edges[0], edges[-1] = -1.0, 1.0  # saturation
    probability = np.diff(edges) / 2
    digits = csd_digits(integers)
    seen = -np.expm1(np.exp2(np.arange(_GRID) / 2)[:, None] * np.log1p(-np.minimum(probability, 1 - 1e-12)))
    on_dsp = needs_dsp(integers)
    single = np.array([probability @ x for x in ((integers != 0), effective_bits(integers), digits)])
    distinct = np.stack([seen @ kind for kind in (digits == 1, (digits > 1) & ~on_dsp, on_dsp)], axis=-1)
    return single, distinct


def _weight_table(bits: NDArray[np.integer]) -> tuple[Array, Array]:
    """Return the rows of the bits that occur, those of others zero: `(17, 3)` of one weight, `(17, 24, 3)` of several.

    16 bits alone take a tenth of a second: rows are made when they are asked for.
    """
    single, distinct = np.zeros((MAX_WEIGHT_BITS + 1, 3)), np.zeros((MAX_WEIGHT_BITS + 1, _GRID, 3))
    for b in np.unique(bits[bits > 0]).tolist():
        single[b], distinct[b] = _weight_row(b)
    return single, distinct


def expected_traits(rows: NDArray[np.integer], n_inputs: int, n_outputs: int, input_bits: int) -> LayerTraits:
    """Return the expected traits `(n, max_layers + 1)` of networks that are not trained yet.

    Args:
        rows: `(n, max_layers + 2)`: widths of the hidden layers padded with zeros, weight bits, activation bits.
        n_inputs: Features.
        n_outputs: Outputs of the network.
        input_bits: Bits of the features.
    """
    single, distinct = _weight_table(rows[:, -2])
    widths = rows[:, :-2].astype(np.int64)
    depth = (widths > 0).sum(axis=1)
    n, most = widths.shape
    n_out = np.zeros((n, most + 1), np.int64)
    n_out[:, :most] = widths
    n_out[np.arange(n), depth] = n_outputs
    n_in = np.zeros_like(n_out)
    n_in[:, 0] = n_inputs
    n_in[:, 1:] = np.where(n_out[:, 1:] > 0, n_out[:, :-1], 0)
    bits = np.broadcast_to(rows[:, -2:-1], n_out.shape) * (n_out > 0)
    inputs = np.broadcast_to(rows[:, -1:], n_out.shape).copy()
    inputs[:, 0] = input_bits
    count = (n_in * n_out).astype(np.float64)
    one = single[bits] * count[..., None]
    place = np.clip(2 * np.log2(np.maximum(n_out, 1)), 0, _GRID - 1.001)
    cell = place.astype(np.int64)
    share = (place - cell)[..., None]
    several = ((1 - share) * distinct[bits, cell] + share * distinct[bits, cell + 1]) * n_in[..., None]
    empty = np.log1p(-np.minimum(single[bits, 0], 1 - 1e-12))  # log probability that a weight is 0
    return LayerTraits(
        n_in=n_in.astype(np.float64),
        n_out=n_out.astype(np.float64),
        weight_bits=bits.astype(np.float64),
        input_bits=(inputs * (n_out > 0)).astype(np.float64),
        input_type_bits=(inputs * (n_out > 0)).astype(np.float64),
        has_activation=(np.arange(most + 1) < depth[:, None]).astype(np.float64),
        nonzero=one[..., 0],
        bit_operations=inputs * one[..., 1],
        csd_digits=one[..., 2],
        distinct_powers=several[..., 0],
        distinct_others=several[..., 1],
        dsp_products=several[..., 2],
        busy_inputs=-n_in * np.expm1(n_out * empty),
        busy_outputs=-n_out * np.expm1(n_in * empty),
        bias_bits=np.zeros(n_out.shape),
    )

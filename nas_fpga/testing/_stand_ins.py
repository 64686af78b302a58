"""What a search observes of candidates that nobody trained: smooth functions, for tests of samplers."""

from __future__ import annotations

import math

from nas_fpga.samplers import Observation
from nas_fpga.space import BitWidths, Candidate


def observe(candidate: Candidate) -> Observation[Candidate]:
    """Return a smooth stand-in for a trained candidate: wider, deeper and finer is better and dearer.

    The further the learning rate is from the default, the worse. Learned bits are fewer at higher pressure.
    """
    capacity = sum(math.log2(1 + width) for width in candidate.topology) / (1 + 0.2 * candidate.n_layers)
    bits = candidate.bits
    weight_bits = bits.weights if isinstance(bits, BitWidths) else -2 * math.log10(candidate.settings.pressure) - 4
    error = -2 + 1.5 * math.exp(-capacity / 3) + 2.0**-weight_bits
    error += 0.1 * math.log10(candidate.settings.learning_rate / 5e-3) ** 2
    share = math.log10(candidate.n_macs(8, 1) * weight_bits / 1e5)
    return Observation(candidate, "complete", log10_error=error, log10_share=share)


def observe_columns(candidate: tuple[int, int, float, str]) -> Observation[tuple[int, int, float, str]]:
    """Return a smooth stand-in for a trained row of the columns that :class:`ColumnConformance` searches.

    Wider and deeper is better and dearer; a rate of 0.01 and `relu` are best and cost nothing.
    """
    width, depth, rate, activation = candidate
    error = -2 + 1.5 * math.exp(-depth * math.log2(width) / 8) + 0.1 * math.log10(rate / 1e-2) ** 2
    error += {"relu": 0, "tanh": 0.1, "linear": 0.4}[activation]
    return Observation(candidate, "complete", log10_error=error, log10_share=math.log10(depth * width**2 / 1e5))

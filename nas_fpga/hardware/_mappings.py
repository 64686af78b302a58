"""How a network is laid on the FPGA. A mapping changes no output, so mappings are enumerated and never trained."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.hardware._limits import Target
from nas_fpga.hardware._strategies import Strategy

# hls4ml fails on dense layers of this many weights at reuse factor 1, in Latency at any: of the synthesis runs of
# wa-hls4ml every design at or above it failed, every one below worked.
UNROLL_LIMIT = 4096
# Reuse factors aimed at; each layer takes its nearest allowed one. Above 1024 a layer takes longer than 5 us at 5 ns.
REUSE_TARGETS = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
MOST_MAPPINGS = 2 + len(REUSE_TARGETS)


@dataclass(frozen=True, order=True)
class Mapping:
    """Strategy of hls4ml for all layers, and the reuse factor of each dense layer (1 unless ``resource``)."""

    strategy: Strategy
    reuse_factors: tuple[int, ...]

    def __str__(self) -> str:
        """`da`, `latency`, `resource rf 8/8/4`."""
        if self.strategy == "resource":
            return "resource rf " + "/".join(map(str, self.reuse_factors))
        return "da" if self.strategy == "distributed_arithmetic" else "latency"


@functools.lru_cache(maxsize=4096)
def _divisors(n: int) -> tuple[int, ...]:
    small = [d for d in range(1, math.isqrt(n) + 1) if n % d == 0]
    return tuple(sorted({*small, *(n // d for d in small)}))


@functools.lru_cache(maxsize=4096)
def allowed_reuse_factors(n_in: int, n_out: int) -> tuple[int, ...]:
    """Return the reuse factors of a dense layer that hls4ml 1.3 takes as they are, ascending.

    They are the divisors of ``n_in``, and ``n_in`` times the divisors of ``n_out``.
    """
    return _divisors(n_in) + tuple(n_in * d for d in _divisors(n_out)[1:])


def multiplier_limit(n_in: int, n_out: int, reuse: int, zeros: int) -> int:
    """Return how many multipliers hls4ml allows a dense layer in its Latency strategy.

    Args:
        n_in: Its inputs.
        n_out: Its outputs.
        reuse: Its reuse factor.
        zeros: Its weights that are 0.
    """
    return -(-n_in * n_out // reuse) - zeros // reuse


def buildable_reuse_factors(strategy: Strategy, n_in: int, n_out: int) -> tuple[int, ...]:
    """Return the reuse factors under which the tools build a dense layer as it is asked, ascending; none if never.

    Args:
        strategy: Of the layer.
        n_in: Its inputs.
        n_out: Its outputs.
    """
    if strategy == "distributed_arithmetic":
        return (1,)
    allowed = allowed_reuse_factors(n_in, n_out) if strategy == "resource" else (1,)
    return tuple(factor for factor in allowed if factor > 1 or n_in * n_out < UNROLL_LIMIT)


def nearest_reuse_factor(n_in: int, n_out: int, factor: int) -> int:
    """Return the reuse factor of a Resource layer nearest to one that is asked for, ties to the smaller as in hls4ml.

    Never 1 where hls4ml refuses to unroll.
    """
    return min(buildable_reuse_factors("resource", n_in, n_out), key=lambda other: (abs(other - factor), other))


def nearest_reuse_factors(n_in: NDArray[np.integer], n_out: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the allowed reuse factors nearest to :data:`REUSE_TARGETS`, ties to the smaller as in hls4ml.

    Never 1 where hls4ml refuses to unroll.

    Args:
        n_in: Inputs of layers `(...)`, at least 1.
        n_out: Outputs of layers `(...)`, at least 1.

    Returns:
        `(n_targets, ...)`.
    """
    aims = np.array(REUSE_TARGETS).reshape(-1, *[1] * n_in.ndim)
    # allowed are the divisors of n_in and, above, n_in times those of n_out: one ascending list for all numbers
    rounds = aims > n_in
    numbers, place = np.unique(np.where(rounds, n_out, n_in), return_inverse=True)
    place = place.reshape(rounds.shape)
    divisors = [_divisors(number) for number in numbers.tolist()]
    stride = int(numbers[-1]) + 1
    ascending = np.concatenate([i * stride + np.array(each) for i, each in enumerate(divisors)])
    unit = np.where(rounds, n_in, 1)
    above = np.searchsorted(ascending, place * stride + np.minimum(-(-aims // unit), numbers[place]))
    high = unit * (ascending[above] - place * stride)
    # before the list of a number, which is reached where that is 1, stands that of another
    low = unit * (ascending[np.maximum(above - 1, 0)] - place * stride)
    low = np.where(low < unit, unit, low)
    refused = (low == 1) & (n_in * n_out >= UNROLL_LIMIT)
    return np.where((high - aims < aims - low) | refused, high, low)


def ladder_of_mappings(shapes: Sequence[tuple[int, int]]) -> tuple[Mapping, ...]:
    """Return the mappings of dense layers of these shapes that the tools accept, at most :data:`MOST_MAPPINGS`.

    They end with the ladder of reuse factors, ascending.

    Args:
        shapes: `(n_in, n_out)` of every dense layer.
    """
    ones = (1,) * len(shapes)
    found = [Mapping("distributed_arithmetic", ones)]
    if all(buildable_reuse_factors("latency", n_in, n_out) for n_in, n_out in shapes):
        found.append(Mapping("latency", ones))
    rows = map(tuple, nearest_reuse_factors(*np.array(shapes).T).tolist())
    found += [Mapping("resource", factors) for factors in rows if max(factors) > 1]
    return tuple(dict.fromkeys(found))


def enumerate_mappings(shapes: Sequence[tuple[int, int]], target: Target) -> tuple[Mapping, ...]:
    """Return the mappings of dense layers of these shapes that the tools accept and that may keep the latency limit.

    Args:
        shapes: `(n_in, n_out)` of every dense layer.
        target: Its clock and latency limit end the ladder of reuse factors.
    """

    def may_keep_limit(mapping: Mapping) -> bool:
        return sum(mapping.reuse_factors) * target.clock_ns <= target.longest_latency_ns

    return tuple(m for m in ladder_of_mappings(shapes) if m.strategy != "resource" or may_keep_limit(m))

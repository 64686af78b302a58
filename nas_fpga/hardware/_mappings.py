"""How a network is laid on the FPGA. A mapping changes no output, so mappings are enumerated and never trained."""

from __future__ import annotations

import bisect
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nas_fpga.hardware._limits import Target

Strategy = Literal["distributed_arithmetic", "latency", "resource"]

# hls4ml fails on dense layers of this many weights at reuse factor 1, in Latency at any: of the synthesis runs of
# wa-hls4ml every design at or above it failed, every one below worked.
UNROLL_LIMIT = 4096
# Reuse factors aimed at; each layer takes its nearest allowed one. Above 1024 a layer takes longer than 5 us at 5 ns.
REUSE_TARGETS = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


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
    return tuple(d for d in range(1, n + 1) if n % d == 0)


@functools.lru_cache(maxsize=4096)
def allowed_reuse_factors(n_in: int, n_out: int) -> tuple[int, ...]:
    """Return the reuse factors of a dense layer that hls4ml 1.3 takes as they are, ascending.

    They are the divisors of ``n_in``, and ``n_in`` times the divisors of ``n_out``.
    """
    return _divisors(n_in) + tuple(n_in * d for d in _divisors(n_out)[1:])


def nearest_reuse_factor(n_in: int, n_out: int, target: int) -> int:
    """Return the allowed reuse factor nearest to ``target``, ties to the smaller as in hls4ml; never one it refuses."""
    allowed = allowed_reuse_factors(n_in, n_out)
    if n_in * n_out >= UNROLL_LIMIT:
        allowed = allowed[1:]
    place = bisect.bisect_left(allowed, target)
    if place == 0:
        return allowed[0]
    if place == len(allowed):
        return allowed[-1]
    before, after = allowed[place - 1], allowed[place]
    return after if after - target < target - before else before


def enumerate_mappings(shapes: Sequence[tuple[int, int]], target: Target) -> tuple[Mapping, ...]:
    """Return the mappings of dense layers of these shapes that the tools accept and that may keep the latency limit.

    Args:
        shapes: `(n_in, n_out)` of every dense layer.
        target: Its clock and latency limit end the ladder of reuse factors.
    """
    ones = (1,) * len(shapes)
    found = [Mapping("distributed_arithmetic", ones)]
    if all(n_in * n_out < UNROLL_LIMIT for n_in, n_out in shapes):
        found.append(Mapping("latency", ones))
    for aim in REUSE_TARGETS:
        factors = tuple(nearest_reuse_factor(n_in, n_out, aim) for n_in, n_out in shapes)
        if max(factors) == 1:
            continue
        if sum(factors) * target.clock_ns > target.limits.latency_ns:
            break
        found.append(Mapping("resource", factors))
    return tuple(dict.fromkeys(found))

"""The resource share of a network that is not trained yet: what samplers know for certain before they propose."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.hardware._adder_law import distributed_arithmetic
from nas_fpga.hardware._cost_array import LOW, QUANTITIES, VALUE
from nas_fpga.hardware._expected import WEIGHTS_SPREAD, expected_traits
from nas_fpga.hardware._hls_laws import latency_strategy, resource_strategy
from nas_fpga.hardware._limits import RESOURCES, Target
from nas_fpga.hardware._mappings import REUSE_TARGETS, UNROLL_LIMIT
from nas_fpga.hardware._traits import Array

_FIRST = {name: i for i, name in enumerate(QUANTITIES)}


@dataclass(frozen=True)
class PreTrainingCost:
    """Expected resource share of the best mapping, and whether a network is refused, from topology and bits alone.

    Weights are expected to be distributed as :mod:`nas_fpga.hardware._expected` says; reuse factors are those of the
    ladder as they are, not moved to allowed ones.

    Attributes:
        n_inputs: Features.
        n_outputs: Outputs of the network.
        input_bits: Bits of the features.
        target: What the design is made for.
    """

    n_inputs: int
    n_outputs: int
    input_bits: int
    target: Target

    def __call__(self, rows: NDArray[np.integer]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return log10 of the expected share and whether each network is refused.

        Args:
            rows: `(n, max_layers + 2)`: widths of the hidden layers padded with zeros, weight bits, activation bits.

        Returns:
            `(n,)` log10 of the resource axis of the cheapest mapping that keeps the limits (of the cheapest of all
            where none does); `(n,)` True where every mapping breaks a limit with the lower end of its interval.
        """
        shares, breaks, hopeless = self._shares(rows)
        best = np.where(breaks.all(axis=0), shares.min(axis=0), np.where(breaks, np.inf, shares).min(axis=0))
        return np.log10(best), np.asarray(hopeless.all(axis=0))

    def interval(self, rows: NDArray[np.integer]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the ends `(n,)`, `(n,)` of the 90 % interval of log10 of the share."""
        value, _ = self(rows)
        half = math.hypot(WEIGHTS_SPREAD, 0.2) / math.log(10)
        return value - half, value + half

    def _shares(self, rows: NDArray[np.integer]) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
        """Return `(n_mappings, n)` shares, limits broken by the values, limits broken by the lower ends."""
        target = self.target
        traits = expected_traits(rows, self.n_inputs, self.n_outputs, self.input_bits)
        costs = [distributed_arithmetic(traits, self.n_inputs, target.clock_ns)]
        refused: list[NDArray[np.bool_]] = [np.zeros(len(rows), bool)]
        costs.append(latency_strategy(traits, self.n_inputs, target.clock_ns))
        weights = traits.n_in * traits.n_out
        refused.append(np.asarray((weights >= UNROLL_LIMIT).any(axis=-1)))
        for aim in REUSE_TARGETS:
            if aim * target.clock_ns > target.limits.latency_ns:
                break
            reuse = np.clip(weights, 1.0, float(aim))
            costs.append(resource_strategy(traits, reuse, self.n_inputs, target.clock_ns))
            refused.append(np.zeros(len(rows), bool))
        cost = np.stack(costs, axis=2)  # (6, 3, n_mappings, n)
        factor = math.exp(-WEIGHTS_SPREAD)
        interval = cost[_FIRST["ii_cycles"], VALUE]
        copies = np.maximum(np.ceil(target.rate_mhz * 1e-3 * target.clock_ns * interval * (1 - 1e-9)), 1.0)
        limits = np.array([getattr(target.limits, name) for name in RESOURCES])[:, None, None]
        used = copies * cost[: len(RESOURCES), VALUE] / limits
        least = copies * cost[: len(RESOURCES), LOW] * factor / limits
        latency = cost[_FIRST["latency_cycles"]] * target.clock_ns / target.limits.latency_ns
        never = np.stack(refused)
        breaks = never | (used > 1).any(axis=0) | (latency[VALUE] > 1)
        hopeless = never | (least > 1).any(axis=0) | (latency[LOW] > 1)
        if target.objective == "share":
            axis = used.max(axis=0)
        elif target.objective == "latency":
            axis = latency[VALUE]
        else:
            axis = used[RESOURCES.index("bram18" if target.objective == "bram" else target.objective)]
        return np.where(never, np.inf, np.maximum(axis, 1e-6)), breaks, hopeless

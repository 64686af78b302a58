"""The resource share of a network that is not trained yet: what samplers know for certain before they propose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.hardware._adder_law import distributed_arithmetic
from nas_fpga.hardware._cost_array import HIGH, LOW, QUANTITIES, VALUE
from nas_fpga.hardware._expected import WEIGHTS_SPREAD, WEIGHTS_SPREAD_PER_BIT, expected_traits
from nas_fpga.hardware._hls_laws import latency_strategy, resource_strategy
from nas_fpga.hardware._limits import RESOURCES, Target, log10_share
from nas_fpga.hardware._mappings import REUSE_TARGETS, UNROLL_LIMIT
from nas_fpga.hardware._traits import Array


@dataclass(frozen=True)
class PreTrainingCost:
    """Expected resource share of the best mapping, and whether a network is refused, from topology and bits alone.

    Weights are expected to be distributed as :mod:`nas_fpga.hardware._expected` says; reuse factors are
    every second of the ladder, at most two rounds over a layer's inputs, not moved to allowed ones.

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
            `(n,)` log10 of the constrained share of the cheapest mapping: the resource axis where all limits are kept,
            else the largest ratio to a limit, above 0; `(n,)` True where every mapping breaks a limit with the lower
            end of its interval.
        """
        share, refused = self._mapped(rows)
        return log10_share(share[VALUE].min(axis=0)), refused

    def interval(self, rows: NDArray[np.integer]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the ends `(n,)`, `(n,)` of the 90 % interval of log10 of the share, for the mapping of the value."""
        share, _ = self._mapped(rows)
        place = share[VALUE].argmin(axis=0), np.arange(len(rows))
        return log10_share(share[LOW][place]), log10_share(share[HIGH][place])

    def _mapped(self, rows: NDArray[np.integer]) -> tuple[Array, NDArray[np.bool_]]:
        """Return the constrained share `(3, n_mappings, n)`, infinite where it cannot be built, and refusals `(n,)`."""
        target = self.target
        traits = expected_traits(rows, self.n_inputs, self.n_outputs, self.input_bits)
        costs = [
            distributed_arithmetic(traits, self.n_inputs, target.clock_ns),
            latency_strategy(traits, self.n_inputs, target.clock_ns),
        ]
        weights = traits.n_in * traits.n_out
        # beyond two rounds over its inputs a layer's multiplexers cost more than the multipliers they save
        most = np.minimum(weights, 2 * traits.n_in)
        for aim in REUSE_TARGETS[1::2]:
            if aim * target.clock_ns > target.limits.latency_ns:
                break
            reuse = np.clip(most, 1.0, aim)
            costs.append(resource_strategy(traits, reuse, self.n_inputs, target.clock_ns))
        cost = np.stack(costs, axis=2)  # (6, 3, n_mappings, n)
        impossible = np.zeros(cost.shape[2:], bool)
        impossible[1] = (weights >= UNROLL_LIMIT).any(axis=-1)

        copies = target.copies(cost[QUANTITIES.index("ii_cycles"), VALUE])
        limits = np.array([getattr(target.limits, name) for name in RESOURCES])[:, None, None, None]
        used = copies * cost[: len(RESOURCES)] / limits
        unknown = np.exp(WEIGHTS_SPREAD + WEIGHTS_SPREAD_PER_BIT / np.maximum(rows[:, -2], 1))
        used[:, LOW] /= unknown
        used[:, HIGH] *= unknown
        latency = cost[QUANTITIES.index("latency_cycles")] * target.clock_ns / target.limits.latency_ns
        worst = np.where(impossible, np.inf, np.maximum(used.max(axis=0), latency))
        shares = dict(zip(RESOURCES, used, strict=True)) | {"latency": latency}
        axis = np.maximum.reduce([shares[name] for name in target.axis])
        return np.where(worst > 1, worst, axis), (worst[LOW] > 1).all(axis=0)

"""The resource share of a network that is not trained yet: what samplers know for certain before they propose."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.hardware._adder_law import distributed_arithmetic
from nas_fpga.hardware._cost_array import HIGH, LOW, ORIGINAL, QUANTITIES, VALUE
from nas_fpga.hardware._expected import WEIGHTS_SPREAD, WEIGHTS_SPREAD_PER_BIT, expected_traits
from nas_fpga.hardware._figures import RESOURCES
from nas_fpga.hardware._hls_laws import latency_strategy, resource_strategy
from nas_fpga.hardware._limits import Target, as_told, log10_share, share_of
from nas_fpga.hardware._mappings import REUSE_TARGETS, UNROLL_LIMIT, nearest_reuse_factors
from nas_fpga.hardware._period import period_growth
from nas_fpga.hardware._rank_stage import at_rank_stage
from nas_fpga.hardware._traits import Array, LayerTraits

# Rows are worked on in groups of at most so many hidden layers, and the rest: half of what a search asks about is no
# deeper than 2, and layers that are not there cost as much as others.
_DEPTHS = (2, 5)


@dataclass(frozen=True)
class PreTrainingCost:
    """Expected resource share of the best mapping, and whether a network is refused, from topology and bits alone.

    Weights are expected to be distributed as :mod:`nas_fpga.hardware._expected` says. Reuse factors are every second of
    the ladder, at most two rounds over a layer's inputs and not moved to allowed ones, so that the share is smooth over
    widths; networks that would be refused by these are mapped as trained ones are, to all that tools accept.

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
        share, refused = self._best(rows)
        return log10_share(as_told(share[VALUE], self.target)), refused

    def interval(self, rows: NDArray[np.integer]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the ends `(n,)`, `(n,)` of the 90 % interval of log10 of the share, for the mapping of the value."""
        share, _ = self._best(rows)
        low, high = (log10_share(as_told(share[end], self.target)) for end in (LOW, HIGH))
        return low, high

    def _best(self, rows: NDArray[np.integer]) -> tuple[Array, NDArray[np.bool_]]:
        """Return the constrained share `(3, n)` of the mapping whose value is least, and refusals `(n,)`."""
        depth = (rows[:, :-2] > 0).sum(axis=1)
        best, refused = np.empty((3, len(rows))), np.empty(len(rows), np.bool_)
        ends = (*(end for end in _DEPTHS if end < rows.shape[1] - 2), rows.shape[1] - 2)
        for above, most in itertools.pairwise((0, *ends)):
            of = np.flatnonzero((depth > above) & (depth <= most))
            if of.size:
                padding = np.arange(most, rows.shape[1] - 2)
                best[:, of], refused[of] = self._best_of(np.delete(rows[of], padding, axis=1))
        return best, refused

    def _best_of(self, rows: NDArray[np.integer]) -> tuple[Array, NDArray[np.bool_]]:
        """Return what :meth:`_best` does, with all rows as wide as they are given."""
        share, over = self._constrained(self._smooth_costs(rows), rows[:, -2])
        refused: NDArray[np.bool_] = np.all(over, axis=0)
        best = _cheapest(share)
        doubtful = np.flatnonzero(refused)
        if doubtful.size:
            costs = self._folded_costs(rows[doubtful])
            share, over = self._constrained(costs, rows[doubtful, -2])
            refused[doubtful] = over.all(axis=0)
            best[:, doubtful] = _cheapest(np.concatenate([best[:, None, doubtful], share], axis=1))
        return best, refused

    def _traits(self, rows: NDArray[np.integer]) -> LayerTraits:
        return expected_traits(rows, self.n_inputs, self.n_outputs, self.input_bits)

    def _smooth_costs(self, rows: NDArray[np.integer]) -> Array:
        """Return the cost array `(7, 4, n_mappings, n)` of mappings that change little with a width."""
        target, clock = self.target, self.target.clock_ns
        traits = self._traits(rows)
        unrolled = at_rank_stage(latency_strategy(traits, self.n_inputs, clock), "latency", target)
        weights = traits.n_in * traits.n_out
        unrolled[: len(RESOURCES), :, (weights >= UNROLL_LIMIT).any(axis=-1)] = np.inf  # cannot be built
        adders = distributed_arithmetic(traits, self.n_inputs, clock)
        unfolded = np.stack([at_rank_stage(adders, "distributed_arithmetic", target), unrolled], axis=2)
        # beyond two rounds over its inputs a layer's multiplexers cost more than the multipliers they save
        most = np.minimum(weights, 2 * traits.n_in)
        aims = [aim for aim in REUSE_TARGETS[1::2] if aim * clock <= target.longest_latency_ns]
        reuse = np.clip(most, 1.0, np.array(aims).reshape(-1, 1, 1))
        folded = at_rank_stage(resource_strategy(traits, reuse, self.n_inputs, clock), "resource", target)
        return np.concatenate([unfolded, folded], axis=2)

    def _folded_costs(self, rows: NDArray[np.integer]) -> Array:
        """Return the cost array `(7, 4, n_mappings, n)` of hls4ml's Resource strategy at all allowed reuse factors."""
        traits = self._traits(rows)
        shapes = (np.maximum(n, 1).astype(np.int64) for n in (traits.n_in, traits.n_out))
        reuse = nearest_reuse_factors(*shapes).astype(np.float64)
        cycles = (reuse * traits.present).sum(axis=-1)
        kept = (cycles * self.target.clock_ns <= self.target.longest_latency_ns).any(axis=-1)
        kept[0] = True  # where all are too slow the first says by how much
        costs = resource_strategy(traits, reuse[kept], self.n_inputs, self.target.clock_ns)
        return at_rank_stage(costs, "resource", self.target)

    def _constrained(self, cost: Array, weight_bits: NDArray[np.integer]) -> tuple[Array, NDArray[np.bool_]]:
        """Return the constrained share `(3, n_mappings, n)`, and `(n_mappings, n)` where its lower end is over."""
        target = self.target
        cost = cost[:, :ORIGINAL]
        copies = target.copies(cost[QUANTITIES.index("ii_cycles"), VALUE])
        limits = np.array([getattr(target.limits, name) for name in RESOURCES])[:, None, None, None]
        unknown = np.exp(WEIGHTS_SPREAD + WEIGHTS_SPREAD_PER_BIT / np.maximum(weight_bits, 1))
        by_weights = np.stack([np.ones_like(unknown), 1 / unknown, unknown])[:, None]  # value, low, high
        used = share_of(cost[: len(RESOURCES)] * by_weights, limits, copies)
        latency = cost[QUANTITIES.index("latency_cycles")] * target.clock_ns / target.limits.latency_ns
        growth = period_growth(cost[QUANTITIES.index("lut"), VALUE])  # much the same for LUTs of another stage
        period = cost[QUANTITIES.index("period_ns"), LOW] / target.clock_ns * by_weights**growth
        shares = dict(zip(RESOURCES, used, strict=True)) | {"latency": latency}
        worst: Array = np.maximum.reduce([used.max(axis=0), latency, period])
        axis: Array = np.maximum.reduce([shares[name] for name in target.axis])
        if target.unlimited:
            return axis, np.zeros(axis.shape[1:], np.bool_)
        return np.where(worst > 1, worst, axis), worst[LOW] > 1


def _cheapest(share: Array) -> Array:
    """Return from shares `(3, n_mappings, n)` those `(3, n)` of the mapping with the least value."""
    found: Array = np.take_along_axis(share, share[VALUE].argmin(axis=0)[None, None], axis=1)[:, 0]
    return found

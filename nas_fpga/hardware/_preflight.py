"""What the vendor's tools will refuse or choke on, said before anybody waits for it."""

from __future__ import annotations

from collections.abc import Sequence

from nas_fpga.hardware._mappings import (
    UNROLL_LIMIT,
    Mapping,
    allowed_reuse_factors,
    buildable_reuse_factors,
    nearest_reuse_factor,
)

# hls4ml's build script lets arrays of at most so many elements become registers, which every pipelined layer needs.
PARTITION_LIMIT = 4096


def preflight(shapes: Sequence[tuple[int, int]], mapping: Mapping) -> tuple[str, ...]:
    """Return one line with its cure for everything that will not build as asked; empty when all will.

    Args:
        shapes: `(n_in, n_out)` of every dense layer.
        mapping: Of them.
    """
    found = []
    for number, ((n_in, n_out), factor) in enumerate(zip(shapes, mapping.reuse_factors, strict=True), 1):
        layer = f"dense {number} ({n_in} x {n_out})"
        weights = n_in * n_out
        widest = max(n_in, n_out)
        if mapping.strategy != "distributed_arithmetic" and widest > PARTITION_LIMIT:
            found.append(
                f"{layer}: an array of {widest:,} is not cut into registers, the limit is {PARTITION_LIMIT:,}; "
                "make the layer narrower"
            )
        if factor in buildable_reuse_factors(mapping.strategy, n_in, n_out):
            continue
        if mapping.strategy == "resource" and factor not in allowed_reuse_factors(n_in, n_out):
            nearest = nearest_reuse_factor(n_in, n_out, factor)
            found.append(f"{layer}: reuse factor {factor} is moved to {nearest} by hls4ml; ask for that")
        elif weights >= UNROLL_LIMIT:
            least = buildable_reuse_factors("resource", n_in, n_out)[0]
            found.append(
                f"{layer}: {weights:,} products are not unrolled, the limit is {UNROLL_LIMIT:,}; take resource "
                f"with a reuse factor of {least} or more, or distributed arithmetic"
            )
        else:
            found.append(f"{layer}: {mapping.strategy} has no reuse factor {factor}; leave it at 1")
    return tuple(found)

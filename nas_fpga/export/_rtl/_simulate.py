"""Simulates an RTL folder as it lies on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class RtlSimulation:
    """What a simulator saw at the ports.

    Attributes:
        outputs: `(n, n_outputs)` float64, exact.
        decisions: `(n,)` bool; None where the design has no decision.
        latency_cycles: From valid in to valid out, the same for all events.
        ii_cycles: Least distance of two outputs.
        simulator: Name and version.
        build_s: Seconds of wall time to build the simulation.
        run_s: Seconds of wall time to run it.
    """

    outputs: NDArray[np.float64]
    decisions: NDArray[np.bool_] | None
    latency_cycles: int
    ii_cycles: int
    simulator: str
    build_s: float
    run_s: float


def simulate_rtl(folder: Path, features: NDArray[np.float32], *, message: Callable[[str], None]) -> RtlSimulation:
    """Simulate the RTL in a folder on raw features `(n, d)`."""
    raise NotImplementedError

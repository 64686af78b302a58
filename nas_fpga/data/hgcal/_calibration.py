"""From the CE-E layer sums of a cluster to its transverse momentum: one weight for each layer and an offset."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data.hgcal._detector import ETA, N_TRIGGER_CE_E

_UNIT_GEV = 2.0**-24
"""Weights are whole multiples of this energy per step, so that a cluster energy is an exact integer everywhere."""


def fit_calibration(sums: NDArray[np.integer], energy_gev: NDArray[np.floating]) -> NDArray[np.int64]:
    """Fit the generated energy of electrons by least squares of the relative residuals.

    Args:
        sums: `(n, d)` cluster sums of electrons in steps; only the CE-E layers (the first 13) are used.
        energy_gev: `(n,)` generated energies.

    Returns:
        `(14,)` weights of the layers and the offset, in units of 2**-24 GeV (per step).
    """
    columns = np.column_stack((sums[:, :N_TRIGGER_CE_E], np.ones(len(sums)))).astype(np.float64)
    relative = columns / energy_gev[:, None].astype(np.float64)
    weights, *_ = np.linalg.lstsq(relative, np.ones(len(sums)), rcond=None)
    units: NDArray[np.int64] = np.rint(weights / _UNIT_GEV).astype(np.int64)
    return units


def cluster_pt_gev(sums: NDArray[np.integer], calibration: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the calibrated CE-E transverse momentum `(n,)` in GeV of cluster sums `(n, d)` in steps."""
    units = sums[:, :N_TRIGGER_CE_E].astype(np.int64) @ calibration[:-1] + calibration[-1]
    pt_gev: NDArray[np.float32] = (units * (_UNIT_GEV / math.cosh(ETA))).astype(np.float32)
    return pt_gev

"""Four-momenta `(..., 4)` as px, py, pz, E in GeV, in numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def mass_squared(p: Floats) -> Floats:
    """Return the invariant mass squared; rounding below 0 becomes 0."""
    return np.asarray(np.maximum(p[..., 3] ** 2 - (p[..., :3] ** 2).sum(axis=-1), 0.0))


def pt_y_phi(p: Floats) -> tuple[Floats, Floats, Floats]:
    """Return transverse momentum, rapidity and azimuth."""
    pt = np.hypot(p[..., 0], p[..., 1])
    rapidity = np.arcsinh(p[..., 2] / np.sqrt(pt**2 + mass_squared(p)))
    return pt, rapidity, np.arctan2(p[..., 1], p[..., 0])


def azimuth_difference(phi_a: Floats, phi_b: Floats) -> Floats:
    """Return the difference of azimuths, from -pi to pi."""
    return np.asarray((phi_a - phi_b + np.pi) % (2 * np.pi) - np.pi)


def delta_r(p: Floats, q: Floats) -> Floats:
    """Return the distance in rapidity and azimuth."""
    (_, y_p, phi_p), (_, y_q, phi_q) = pt_y_phi(p), pt_y_phi(q)
    return np.asarray(np.hypot(y_p - y_q, azimuth_difference(phi_p, phi_q)))

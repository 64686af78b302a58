"""A detector of the particle-flow kind, after the one that arXiv:1709.08705 calls CMS-like.

=================  =======================================  ======================================================
objects            made of                                  relative resolution (quadratic sum)
=================  =======================================  ======================================================
tracks             charged particles, true direction        0.00025 p_T / GeV, 0.015
photons            sums over cells of 0.0175 x 0.0175       0.027 sqrt(1.6 GeV / E), 0.15 x 1.6 GeV / E, 0.005
hadrons            sums over cells of 0.022 x 0.022         1.20 sqrt(7 GeV / E), 0.05
=================  =======================================  ======================================================

Neutral hadrons, and charged ones above 220 GeV where tracking in the core of a jet fails, count as hadrons. 1.6 and 7
GeV stand for the calorimeter energy that lies under tracks. Two choices are our own: the response follows a Gamma law
of mean 1 (a Gaussian cut off at 0 would bias soft cells), and objects below 0.3 GeV are lost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data.jets._kinematics import Floats

MAX_ABS_ETA = 3.3
MIN_PT_GEV = 0.3
MAX_TRACK_PT_GEV = 220.0
ECAL_CELL, HCAL_CELL = 0.0175, 0.022
_ELECTRON, _MUON, _PHOTON = 11, 13, 22
_NEUTRINOS, _NEUTRAL_HADRONS = (12, 14, 16), (130, 2112)


def detect(pdg: NDArray[np.integer], p: Floats, rng: np.random.Generator) -> Floats:
    """Return the reconstructed objects `(m, 4)` of stable particles.

    Args:
        pdg: `(n,)` PDG numbers.
        p: `(n, 4)` four-momenta.
        rng: Of the response.
    """
    pdg, pt = np.abs(pdg), np.hypot(p[:, 0], p[:, 1])
    visible = (np.abs(p[:, 2]) < np.sinh(MAX_ABS_ETA) * pt) & ~np.isin(pdg, _NEUTRINOS)
    pdg, p, pt = pdg[visible], p[visible], pt[visible]
    photon = pdg == _PHOTON
    light = np.isin(pdg, (_ELECTRON, _MUON, _PHOTON))
    hadron = np.isin(pdg, _NEUTRAL_HADRONS) | (~light & (pt > MAX_TRACK_PT_GEV))
    track = ~photon & ~hadron
    ecal, hcal = sum_cells(p[photon], ECAL_CELL), sum_cells(p[hadron], HCAL_CELL)
    ecal_gev, hcal_gev = ecal[:, 3], hcal[:, 3]
    objects = np.concatenate(
        [
            smear(p[track], np.hypot(0.00025 * pt[track], 0.015), rng),
            smear(ecal, np.sqrt(0.027**2 * 1.6 / ecal_gev + (0.24 / ecal_gev) ** 2 + 0.005**2), rng),
            smear(hcal, np.sqrt(1.20**2 * 7 / hcal_gev + 0.05**2), rng),
        ]
    )
    return np.asarray(objects[np.hypot(objects[:, 0], objects[:, 1]) > MIN_PT_GEV])


def smear(p: Floats, resolution: Floats, rng: np.random.Generator) -> Floats:
    """Scale four-momenta `(n, 4)` by random factors of a Gamma law with mean 1 and these widths `(n,)`."""
    shape = np.maximum(resolution, 1e-4) ** -2.0
    return np.asarray(p * (rng.gamma(shape) / shape)[:, None])


def sum_cells(p: Floats, size: float) -> Floats:
    """Sum energies in square cells in eta and phi, one massless object `(m, 4)` at the centre of each that was hit.

    Args:
        p: `(n, 4)`.
        size: Side of a cell; rounded so that a whole number goes round in phi.
    """
    eta, phi = np.arcsinh(p[:, 2] / np.hypot(p[:, 0], p[:, 1])), np.arctan2(p[:, 1], p[:, 0])
    n_phi = round(2 * np.pi / size)
    step = 2 * np.pi / n_phi
    row = np.floor((eta + MAX_ABS_ETA) / step).astype(np.int64)
    column = np.floor((phi + np.pi) / step).astype(np.int64) % n_phi
    cell, of_particle = np.unique(row * n_phi + column, return_inverse=True)
    energy = np.bincount(of_particle, weights=p[:, 3], minlength=len(cell))
    eta, phi = (cell // n_phi + 0.5) * step - MAX_ABS_ETA, (cell % n_phi + 0.5) * step - np.pi
    pt = energy / np.cosh(eta)
    return np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), energy], axis=1)

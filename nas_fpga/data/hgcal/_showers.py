"""The two packed files of simulated particles: read, checked, never trusted further."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data.hgcal._archive import Array, read_arrays
from nas_fpga.data.hgcal._detector import N_CELLS, N_LAYERS
from nas_fpga.errors import InputError

ELECTRON, PION = 11, -211
PACKED_ARRAYS = ("offsets", "cell", "energy_mev", "truth_gev_mm", "pdg", "seed", "layer_depth_x0_lambda_mm")
"""What a file of packed showers holds, see ``datasets/README.md``."""


@dataclass(frozen=True, eq=False)
class Showers:
    """Simulated electrons and pions, one after the other.

    Attributes:
        offsets: `(n + 1,)` int64; hits of shower i are ``[offsets[i], offsets[i + 1])``.
        cell: `(h,)` uint16, cell number of each hit.
        energy_mev: `(h,)` float16, energy deposited in the sensor of that cell.
        energy_gev: `(n,)` float32, generated energy.
        pdg: `(n,)` int16, 11 for electrons and -211 for pions.
        seed: `(n,)` int32, seed of the simulation run each came from.
        depth: `(47, 3)` float64: depth of each layer in radiation lengths and in nuclear interaction lengths, and z/mm.
    """

    offsets: NDArray[np.int64]
    cell: NDArray[np.uint16]
    energy_mev: NDArray[np.float16]
    energy_gev: NDArray[np.float32]
    pdg: NDArray[np.int16]
    seed: NDArray[np.int32]
    depth: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of showers."""
        return len(self.pdg)


@dataclass(frozen=True, eq=False)
class PileupLibrary:
    """Simulated pile-up particles that entered at the centre of the same calorimeter.

    Attributes:
        offsets: `(n + 1,)` int64; hits of particle i are ``[offsets[i], offsets[i + 1])``.
        cell: `(h,)` int32, cell number of each hit.
        energy_mev: `(h,)` float32, energy deposited in the sensor of that cell.
        energy_gev: `(n,)` float32, generated energy.
    """

    offsets: NDArray[np.int64]
    cell: NDArray[np.int32]
    energy_mev: NDArray[np.float32]
    energy_gev: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of particles."""
        return len(self.energy_gev)


def read_showers(path: Path) -> Showers:
    """Read packed showers: `hgcal_showers.npz`, or what `nas-fpga data simulate` made.

    Raises:
        InputError: The file is missing, truncated, or something else.
    """
    offsets, cell, energy_mev, truth, pdg, seed, depth = read_arrays(path, PACKED_ARRAYS, "packed showers")
    n = len(pdg)
    _demand(path, truth.shape == (n, 3) and seed.shape == (n,) and depth.shape == (N_LAYERS, 3), "its shapes disagree")
    _demand(path, bool(np.isin(pdg, (ELECTRON, PION)).all()), "it holds particles other than electrons and pions")
    _check_hits(path, offsets, cell, energy_mev, n)
    return Showers(offsets, cell, energy_mev, truth[:, 0].copy(), pdg, seed, depth)


def read_pileup_library(path: Path) -> PileupLibrary:
    """Read `hgcal_pileup_library.npz`.

    Raises:
        InputError: The file is missing, truncated, or something else.
    """
    particle, cell, energy_mev, truth = read_arrays(path, ("ev", "cell", "e", "truth"), "pile-up library")
    n = len(truth)
    _demand(path, truth.shape == (n, 4) and particle.shape == cell.shape, "its shapes disagree")
    order = np.argsort(particle, kind="stable")
    offsets = np.searchsorted(particle[order], np.arange(n + 1)).astype(np.int64)
    _check_hits(path, offsets, cell, energy_mev, n)
    return PileupLibrary(offsets, cell[order], energy_mev[order], truth[:, 0].copy())


def _check_hits(path: Path, offsets: NDArray[np.int64], cell: Array, energy: Array, n: int) -> None:
    _demand(path, offsets.shape == (n + 1,) and cell.shape == energy.shape == (offsets[-1],), "its hits do not add up")
    _demand(path, bool(offsets[0] == 0 and (np.diff(offsets) >= 0).all()), "its offsets are not ascending")
    _demand(path, bool(((cell >= 0) & (cell < N_CELLS)).all()), f"a cell number is not below {N_CELLS}")
    _demand(path, bool(np.isfinite(energy).all() and (energy >= 0).all()), "an energy is negative or not finite")


def _demand(path: Path, holds: bool, complaint: str) -> None:
    if not holds:
        raise InputError(f"{path}: {complaint}; copy the file again")

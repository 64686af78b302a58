"""What the trigger sees of a shower: pile-up on top, noise, threshold, a seed, and the layer sums around it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from nas_fpga.data.hgcal._detector import (
    CELL_CM,
    ETA,
    N_LAYERS,
    N_SIDE,
    N_TRIGGER_CE_E,
    STEPS_PER_MIP,
    SUM_STARTS,
    TRIGGER_LAYERS,
    energy_steps,
)
from nas_fpga.data.hgcal._showers import PileupLibrary, Showers

PILEUPS = (0, 140, 200)
"""Collisions per bunch crossing that can be overlaid: none, the nominal and the ultimate HL-LHC figure."""
PARTICLES_PER_CM2 = 2.66e-4
"""Density of pile-up particles above 0.2 GeV per collision, from minimum-bias events at 14 TeV, 1.8 < |eta| < 2.4."""
NOISE_MIP = 0.4
THRESHOLD_MIP = 1.35 * math.cosh(ETA)
"""A trigger cell counts from 1.35 MIP of transverse energy on."""

# Seeds lie in the central 6 x 6 cells (showers enter within a cell of the centre) and clusters are 5 x 5, so that only
# the central 10 x 10 cells can matter. Nothing outside them is emulated, which saves five sixths of the work.
_SEED_SIDE, _CLUSTER_SIDE = 6, 5
_WINDOW = _SEED_SIDE + _CLUSTER_SIDE - 1
_FIRST = (N_SIDE - _WINDOW) // 2
_WINDOW_CELLS = len(TRIGGER_LAYERS) * _WINDOW**2
_OUTSIDE = _WINDOW  # window coordinate of a cell that is not in it

# Window coordinate for a coordinate of the torus 0..23 after a shift of up to 23.
_TO_WINDOW = np.full(2 * N_SIDE - 1, _OUTSIDE)
_TO_WINDOW[_FIRST : _FIRST + _WINDOW] = np.arange(_WINDOW)
_TO_WINDOW[N_SIDE + _FIRST : N_SIDE + _FIRST + _WINDOW] = np.arange(_WINDOW)
_TRIGGER_INDEX = np.full(N_LAYERS, -1)
_TRIGGER_INDEX[TRIGGER_LAYERS] = np.arange(len(TRIGGER_LAYERS))


@dataclass(frozen=True, eq=False)
class _Hits:
    """Hits in the layers that the trigger reads."""

    layer: NDArray[np.int64]
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    steps: NDArray[np.int64]
    kept: NDArray[np.bool_]


def _trigger_hits(cell: NDArray[np.integer], energy_mev: NDArray[np.floating]) -> _Hits:
    steps = energy_steps(cell, energy_mev)
    layer = _TRIGGER_INDEX[cell // N_SIDE**2]
    kept = (layer >= 0) & (steps > 0)
    in_layer = cell[kept].astype(np.int64) % N_SIDE**2
    return _Hits(layer[kept], in_layer // N_SIDE, in_layer % N_SIDE, steps[kept], kept)


class PileupSource:
    """Overlays particles of a library: Poisson number, any particle, any place, any orientation.

    The layer is taken as a torus, so that the density is the same in every cell. Each particle appears under the eight
    symmetries of the square and the 576 translations.

    Args:
        library: The particles.
        members: Numbers of the particles that may be used, `(m,)`.
    """

    def __init__(self, library: PileupLibrary, members: NDArray[np.int64]) -> None:
        hits = _trigger_hits(library.cell, library.energy_mev)
        starts = np.concatenate(([0], np.cumsum(hits.kept)))[library.offsets]
        self._start = starts[members]
        self._count = np.diff(starts)[members]
        self._n_hits = len(hits.steps)
        self._layer = hits.layer
        self._steps = hits.steps.astype(np.float64)
        # One row per symmetry, flattened: two mirrors and the diagonal.
        views = [(x, y) for x in (hits.x, N_SIDE - 1 - hits.x) for y in (hits.y, N_SIDE - 1 - hits.y)]
        views += [(y, x) for x, y in views]
        self._x = np.concatenate([x for x, _ in views])
        self._y = np.concatenate([y for _, y in views])

    def overlay(self, pileup: int, copies: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], int]:
        """Return energies in steps `(copies, 34, 10, 10)` in the window, and how many particles were placed."""
        density = PARTICLES_PER_CM2 * pileup * (N_SIDE * CELL_CM) ** 2
        per_copy = rng.poisson(density, copies)
        n = int(per_copy.sum())
        particle = rng.integers(len(self._start), size=n)
        symmetry = rng.integers(8, size=n)
        shift_x, shift_y = rng.integers(N_SIDE, size=(2, n))
        count = self._count[particle]
        first = np.cumsum(count) - count
        hit = np.arange(count.sum()) + np.repeat(self._start[particle] - first, count)
        view = hit + np.repeat(symmetry * self._n_hits, count)
        x = _TO_WINDOW[self._x[view] + np.repeat(shift_x, count)]
        y = _TO_WINDOW[self._y[view] + np.repeat(shift_y, count)]
        inside = np.flatnonzero((x != _OUTSIDE) & (y != _OUTSIDE))
        copy = np.repeat(np.repeat(np.arange(copies), per_copy), count)
        place = ((copy[inside] * len(TRIGGER_LAYERS) + self._layer[hit[inside]]) * _WINDOW + x[inside]) * _WINDOW
        summed = np.bincount(place + y[inside], self._steps[hit[inside]], minlength=copies * _WINDOW_CELLS)
        return summed.astype(np.int64).reshape(copies, len(TRIGGER_LAYERS), _WINDOW, _WINDOW), n


def shower_window(showers: Showers, index: int) -> NDArray[np.int64]:
    """Return the energy of one shower in steps, `(34, 10, 10)`: trigger layers and central cells."""
    part = slice(showers.offsets[index], showers.offsets[index + 1])
    hits = _trigger_hits(showers.cell[part], showers.energy_mev[part])
    x, y = _TO_WINDOW[hits.x], _TO_WINDOW[hits.y]
    inside = (x != _OUTSIDE) & (y != _OUTSIDE)
    place = (hits.layer * _WINDOW + x) * _WINDOW + y
    summed = np.bincount(place[inside], hits.steps[inside], minlength=_WINDOW_CELLS)
    return summed.astype(np.int64).reshape(len(TRIGGER_LAYERS), _WINDOW, _WINDOW)


def cluster_sums(window: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the sums `(copies, 15)` in steps of the cluster found in each window `(copies, 34, 10, 10)`.

    Cells under the threshold count nothing. The seed is the central cell whose 3 x 3 neighbourhood holds the most
    energy of all CE-E trigger layers (the first of equals); the cluster is the 5 x 5 cells around it, in every layer.
    """
    counting = np.where(window < THRESHOLD_MIP * STEPS_PER_MIP, 0, window)
    tower = counting[:, :N_TRIGGER_CE_E].sum(axis=1)
    around = sliding_window_view(tower[:, 1:-1, 1:-1], (3, 3), axis=(1, 2)).sum(axis=(3, 4))
    seed_x, seed_y = np.divmod(around.reshape(len(window), -1).argmax(axis=1), _SEED_SIDE)
    clusters = sliding_window_view(counting, (_CLUSTER_SIDE, _CLUSTER_SIDE), axis=(2, 3))
    chosen = clusters[np.arange(len(window)), :, seed_x, seed_y]
    sums: NDArray[np.int64] = np.add.reduceat(chosen.sum(axis=(2, 3)), SUM_STARTS, axis=1)
    return sums


def emulate(
    showers: Showers, index: int, pileup: int, copies: int, source: PileupSource, rng: np.random.Generator
) -> tuple[NDArray[np.int64], int]:
    """Send one shower through the trigger several times, each with its own pile-up and noise.

    Args:
        showers: The simulated showers.
        index: Which of them.
        pileup: Collisions overlaid.
        copies: How many times.
        source: Pile-up particles to draw from.
        rng: Generator of this shower alone.

    Returns:
        Cluster sums `(copies, 15)` in eighths of a MIP, and the number of pile-up particles placed.
    """
    piled, n_particles = source.overlay(pileup, copies, rng)
    noise = np.rint(rng.standard_normal(piled.shape) * (NOISE_MIP * STEPS_PER_MIP)).astype(np.int64)
    return cluster_sums(shower_window(showers, index) + piled + noise), n_particles

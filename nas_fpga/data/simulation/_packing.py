"""The packed format of showers: hits as numbers of cells and energies, one shower after the other."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data.hgcal._archive import read_arrays
from nas_fpga.data.hgcal._detector import N_CELLS
from nas_fpga.data.hgcal._showers import PACKED_ARRAYS
from nas_fpga.data.simulation._plan import Primaries

MIN_HIT_MEV = 0.01
"""Smaller energies are left out: an eighth of what a minimum ionising particle leaves in silicon."""

Packed = dict[str, NDArray[Any]]
"""The arrays of :data:`PACKED_ARRAYS` by name."""


def pack(hits: Sequence[Mapping[int, float]], primaries: Primaries, seed: int, depths: NDArray[np.float64]) -> Packed:
    """Pack simulated showers.

    Args:
        hits: For each shower the energy in MeV of each cell that was hit.
        primaries: What made them.
        seed: Of the process they came from.
        depths: `(47, 3)` depths of the layers.
    """
    cells, energies, counts = [np.empty(0, np.uint16)], [np.empty(0, np.float16)], []
    for shower in hits:
        kept = sorted((cell, energy) for cell, energy in shower.items() if energy > MIN_HIT_MEV)
        counts.append(len(kept))
        cell = np.array([cell for cell, _ in kept], np.int64)
        assert not kept or (cell[0] >= 0 and cell[-1] < N_CELLS), "a copy number is out of range"
        cells.append(cell.astype(np.uint16))
        energies.append(np.array([energy for _, energy in kept]).astype(np.float16))
    return {
        "offsets": np.concatenate(([0], np.cumsum(counts, dtype=np.int64))).astype(np.int64),
        "cell": np.concatenate(cells),
        "energy_mev": np.concatenate(energies),
        "truth_gev_mm": np.column_stack((primaries.energy_gev, primaries.impact_mm)).astype(np.float32),
        "pdg": primaries.pdg,
        "seed": np.full(len(primaries), seed, np.int32),
        "layer_depth_x0_lambda_mm": depths,
    }


def join(parts: Sequence[Packed]) -> Packed:
    """Put packed showers of one detector behind each other."""
    shifts = np.cumsum([0, *(part["offsets"][-1] for part in parts)])
    offsets = [part["offsets"][1:] + shift for part, shift in zip(parts, shifts, strict=False)]
    joined = {"offsets": np.concatenate([np.zeros(1, np.int64), *offsets])}
    for name in ("cell", "energy_mev", "truth_gev_mm", "pdg", "seed"):
        joined[name] = np.concatenate([part[name] for part in parts])
    return joined | {"layer_depth_x0_lambda_mm": parts[0]["layer_depth_x0_lambda_mm"]}


def write_packed(path: Path, packed: Packed) -> None:
    """Write a file that is there as a whole or not at all; the same arrays give the same bytes with the same zlib."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **{name: packed[name] for name in PACKED_ARRAYS})
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def read_packed(path: Path) -> Packed:
    """Read what :func:`write_packed` wrote.

    Raises:
        InputError: The file is missing, truncated, or something else.
    """
    return dict(zip(PACKED_ARRAYS, read_arrays(path, PACKED_ARRAYS, "packed showers"), strict=True))

"""Writes small files in the formats of the published data sets."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from nas_fpga.data.jets._definitions import FEATURE_NAMES

CODES = ("g", "q", "w", "z", "t")
Arrays = dict[str, NDArray[Any]]


def jets(n: int = 400, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return features `(n, 16)` that look like those of jets, rounded as OpenML's, and labels in the order of CODES."""
    rng = np.random.default_rng(seed)
    features = rng.uniform(0.01, 1, (n, 16))
    features[:, FEATURE_NAMES.index("zlogz")] *= -4
    features[:, FEATURE_NAMES.index("mass_mmdt")] = rng.uniform(5, 180, n)
    features[:, FEATURE_NAMES.index("multiplicity")] = rng.integers(5, 150, n)
    return features.round(6), np.arange(n) % 5


def openml_columns(n: int = 400, seed: int = 0) -> Arrays:
    features, labels = jets(n, seed)
    return dict(zip(FEATURE_NAMES, features.T, strict=True)) | {"class": np.array(CODES)[labels]}


def write_openml(path: Path, columns: Arrays) -> Path:
    """Write ARFF as OpenML does, packed where the name ends so (as scikit-learn keeps it), or Parquet."""
    if path.suffix == ".parquet":
        parquet.write_table(pa.table(columns), path)
        return path
    numbers = [name for name, column in columns.items() if column.dtype.kind == "f"]
    kinds = [f"@ATTRIBUTE {name} {'REAL' if name in numbers else '{g, q, t, w, z}'}" for name in columns]
    rows = [",".join(map(str, row)) for row in zip(*(column.tolist() for column in columns.values()), strict=True)]
    text = "\n".join(["% jets", "@RELATION 'hls4ml_lhc_jets_hlf'", "", *kinds, "", "@DATA", *rows, ""])
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def cernbox_columns(n: int = 400, seed: int = 0) -> Arrays:
    """Return the columns that are read and some that are not."""
    features, labels = jets(n, seed)
    columns = {"j_pt": np.full(n, 1000.0), "j_index": np.arange(n)}
    columns |= {f"j_{name}": column for name, column in zip(FEATURE_NAMES, features.T, strict=True)}
    return columns | {f"j_{code}": (labels == k).astype(np.int32) for k, code in enumerate(CODES)}


def write_cernbox(path: Path, columns: Arrays) -> Path:
    """Write one structured dataset, as the file on CERNBox has it."""
    rows = np.zeros(len(columns["j_g"]), dtype=[(n, "i4" if c.dtype.kind == "i" else "f4") for n, c in columns.items()])
    for name, column in columns.items():
        rows[name] = column
    with h5py.File(path, "w") as file:
        file["t_allpar_new"] = rows
    return path


PLANES_CM = 13.9 + 1.4 * np.arange(28) + 0.25 * (np.arange(28) % 2)


def shower_arrays(particle: str, n: int = 120, seed: int = 0) -> tuple[Arrays, NDArray[np.float64]]:
    """Return the arrays of a file, and the layer sums `(n, 28)` that they hold; the first event has no hit in CE-E."""
    rng = np.random.default_rng([seed, len(particle)])
    beam = rng.uniform(20, 350, n).astype(np.float32)
    depth = np.arange(28)
    first = rng.integers(0, 56, n) if particle == "pion" else np.zeros(n, dtype=int)
    rise = np.clip(depth - first[:, None], 0, None)
    expected = 12 * beam[:, None] * rise**3 * np.exp(-rise / 2) / 100 + 1
    events, sums = [], np.zeros((n, 28))
    for event in range(n):
        hits = rng.integers(1, 4, 28) * (event > 0)  # 1 to 3 hits in each layer
        layer = np.repeat(depth, hits)
        energy = 0.5 + rng.exponential(expected[event, layer] / 2)
        sums[event] = np.bincount(layer, weights=energy, minlength=28)
        behind = rng.uniform(60, 80, rng.integers(0, 3) if particle == "pion" else 0)  # CE-H
        z = np.concatenate([PLANES_CM[layer], behind])
        order = rng.permutation(len(z))
        events.append((z[order], np.concatenate([energy, np.full(len(behind), 7.0)])[order]))
    z, energy = (np.concatenate(parts).astype(np.float32) for parts in zip(*events, strict=True))
    xy = {name: rng.normal(size=len(z)).astype(np.float32) for name in ("rechit_x", "rechit_y")}
    n_hits = np.array([len(z) for z, _ in events])
    return {"nhits": n_hits, **xy, "rechit_z": z, "rechit_energy": energy, "target": beam}, sums


def write_showers(path: Path, arrays: Arrays, nested: bool = False) -> Path:
    """Write a file of the beam test: flat arrays of hits, or one array for each event."""
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            if nested and name.startswith("rechit"):
                dataset = file.create_dataset(name, len(arrays["nhits"]), h5py.vlen_dtype(np.float32))
                for event, hits in enumerate(np.split(array, np.cumsum(arrays["nhits"])[:-1])):
                    dataset[event] = hits
            else:
                file[name] = array
    return path

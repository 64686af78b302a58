"""Writes one table in each of the formats that the readers know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import uproot
from pyarrow import csv, parquet

Columns = Mapping[str, np.ndarray[Any, Any]]


def _write_csv(path: Path, columns: Columns) -> None:
    csv.write_csv(pa.table(dict(columns)), path)


def _write_parquet(path: Path, columns: Columns) -> None:
    parquet.write_table(pa.table(dict(columns)), path)


def _write_npz(path: Path, columns: Columns) -> None:
    np.savez(path, **columns)


def _write_hdf5(path: Path, columns: Columns) -> None:
    with h5py.File(path, "w", track_order=True) as file:
        for name, column in columns.items():
            file[name] = column.astype(bytes) if column.dtype.kind == "U" else column


def _write_root(path: Path, columns: Columns) -> None:
    types = {name: "string" if c.dtype.kind == "U" else c.dtype for name, c in columns.items()}
    values = {name: c.tolist() if c.dtype.kind == "U" else c for name, c in columns.items()}
    with uproot.recreate(path) as file:
        file.mktree("events", types)
        file["events"].extend(values)


def _write_arff(path: Path, columns: Columns) -> None:
    kinds = {"U": "STRING", "b": "{False,True}"}
    header = [f"@ATTRIBUTE '{name}' {kinds.get(column.dtype.kind, 'REAL')}" for name, column in columns.items()]
    cells = zip(*(column.tolist() for column in columns.values()), strict=True)
    rows = [",".join("?" if value in ("", None) else str(value) for value in row) for row in cells]
    path.write_text("\n".join(["% a comment", "@RELATION rows", *header, "@DATA", *rows, ""]))


WRITERS: dict[str, Callable[[Path, Columns], None]] = {
    "npz": _write_npz,
    "csv": _write_csv,
    "parquet": _write_parquet,
    "arff": _write_arff,
    "h5": _write_hdf5,
    "root": _write_root,
}


def write(path: Path, columns: Columns) -> Path:
    """Write the columns in the format of the suffix; return the path."""
    WRITERS[path.suffix[1:]](path, columns)
    return path

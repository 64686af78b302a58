"""Data sets that were made in memory, as one npz file that gives them back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data._dataset import Dataset
from nas_fpga.errors import InputError

_FORMAT = 1
_COLUMNS = ("features", "labels", "weights", "groups", "counted")


def save_dataset(dataset: Dataset, path: Path) -> None:
    """Write a data set to ``path`` (npz), in one step: the file is whole or absent."""
    header = {
        "format": _FORMAT,
        "name": dataset.name,
        "class_names": dataset.class_names,
        "feature_names": dataset.feature_names,
        "feature_units": dataset.feature_units,
        "provenance": dict(dataset.provenance),
        "repairs": dataset.repairs,
        "spectators": list(dataset.spectators),
        "bins": list(dataset.bins),
    }
    arrays: dict[str, NDArray[np.generic]] = {name: getattr(dataset, name) for name in _COLUMNS}
    arrays |= {f"spectator_{i}": column for i, column in enumerate(dataset.spectators.values())}
    arrays |= {f"bin_{i}": column for i, column in enumerate(dataset.bins.values())}
    if dataset.subset is not None:
        arrays["subset"] = dataset.subset
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as file:
            np.savez_compressed(file, header=np.array(json.dumps(header)), **arrays)  # type: ignore[arg-type]
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)  # only there if writing failed, on a full disk say


def load_dataset(path: Path) -> Dataset:
    """Read a data set written by :func:`save_dataset`.

    Raises:
        InputError: The file is missing, truncated or of another kind.
    """
    try:
        with np.load(path, allow_pickle=False) as saved:
            header = json.loads(str(saved["header"]))
            if header["format"] != _FORMAT:
                raise ValueError(f"format {header['format']}, this version reads {_FORMAT}")
            return Dataset(
                name=header["name"],
                class_names=tuple(header["class_names"]),
                feature_names=tuple(header["feature_names"]),
                feature_units=tuple(header["feature_units"]),
                **{name: saved[name] for name in _COLUMNS},
                spectators={name: saved[f"spectator_{i}"] for i, name in enumerate(header["spectators"])},
                bins={name: saved[f"bin_{i}"] for i, name in enumerate(header["bins"])},
                subset=saved["subset"] if "subset" in saved.files else None,
                provenance=header["provenance"],
                repairs=tuple(header["repairs"]),
            )
    except FileNotFoundError as error:
        raise InputError(f"data set {path} is gone; bring it back, or start another study") from error
    except Exception as error:  # the parser lets through whatever damaged bytes provoke in it
        reason = " ".join(str(error).split())
        raise InputError(f"data set {path} cannot be read ({reason}); bring it back, or start another study") from error

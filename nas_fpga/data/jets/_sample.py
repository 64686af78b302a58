"""Jets as arrays, and the files that hold them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data.hgcal._archive import read_arrays
from nas_fpga.data.jets._definitions import CLASS_NAMES, FEATURE_NAMES


@dataclass(frozen=True, eq=False)
class Jets:
    """Labelled jets.

    Attributes:
        features: `(n, 16)` float32, in the order of ``FEATURES``.
        labels: `(n,)` uint8, index into ``CLASS_NAMES``.
        pt_gev: `(n,)` float32, transverse momentum of the jet before grooming; not a feature.
        events: `(n,)` int64; up to two jets come from one event.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.uint8]
    pt_gev: NDArray[np.float32]
    events: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of jets."""
        return len(self.labels)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name; features by column, which packs better."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {
            "features": np.asfortranarray(self.features)
        }

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return one column for each feature, `class` as text and `event`: what :func:`read_dataset` takes."""
        by_name = dict(zip(FEATURE_NAMES, self.features.T, strict=True))
        return by_name | {"class": np.array(CLASS_NAMES)[self.labels], "event": self.events}


def join(parts: Sequence[Jets]) -> Jets:
    """Put jets behind each other."""
    names = [field.name for field in fields(Jets)]
    return Jets(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def read_jets(path: Path) -> Jets:
    """Read what was written of :meth:`Jets.arrays`.

    Raises:
        InputError: The file is missing, truncated, or something else.
    """
    features, *others = read_arrays(path, tuple(field.name for field in fields(Jets)), "jets")
    return Jets(np.ascontiguousarray(features), *others)


def write_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write an npz file that is there as a whole or not at all; the same arrays give the same bytes (and zlib)."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)

"""The `Dataset` value: what every later room reads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nas_fpga.errors import InputError

Subset = Literal["train", "validation", "test"]
SUBSETS: tuple[Subset, ...] = get_args(Subset)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled rows with their weights and groups. Arrays are read-only.

    Attributes:
        name: Short name, as printed (`hgcal`, or the file's stem).
        features: `(n, d)` float32, finite, in physical units: what the design will receive.
        labels: `(n,)` int64, index into ``class_names``.
        class_names: Names of the classes. With two classes index 1 is the signal.
        feature_names: `d` names.
        feature_units: `d` units; an empty string where there is none or it is not known.
        weights: `(n,)` float64, positive or zero; they enter training and every figure of merit.
        groups: `(n,)` int64; rows of one group (one shower, one event) never part.
        counted: `(n,)` bool; rows that count in the main figures of merit (all rows train).
        spectators: Further `(n,)` columns that are never features (`cluster_pt_gev`, ...).
        bins: Named parts of the rows, `(n,)` bool each, that figures of merit are given for too.
        subset: `(n,)` int8 index into :data:`SUBSETS` where the data come already split, else None.
        provenance: Where the rows come from and what was done to them, as text by key.
        repairs: What was repaired on reading, one sentence each; printed to the user.
    """

    name: str
    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    feature_units: tuple[str, ...]
    weights: NDArray[np.float64]
    groups: NDArray[np.int64]
    counted: NDArray[np.bool_]
    spectators: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    bins: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    subset: NDArray[np.int8] | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)
    repairs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check shapes, dtypes and values once, here at the border; freeze the arrays."""
        n, d = self.features.shape
        columns = {"labels": self.labels, "weights": self.weights, "groups": self.groups, "counted": self.counted}
        columns |= dict(self.spectators) | dict(self.bins) | ({} if self.subset is None else {"subset": self.subset})
        for name, column in columns.items():
            if column.shape != (n,):
                raise InputError(f"{self.name}: column {name} has shape {column.shape}, expected ({n},)")
        if self.features.dtype != np.float32 or not np.isfinite(self.features).all():
            raise InputError(f"{self.name}: features must be finite float32")
        if len(self.feature_names) != d or len(self.feature_units) != d:
            raise InputError(f"{self.name}: {d} features need {d} names and units")
        if len(self.class_names) < 2 or not np.array_equal(np.unique(self.labels), np.arange(len(self.class_names))):
            raise InputError(f"{self.name}: labels must cover all of {len(self.class_names)} classes, at least two")
        if not np.isfinite(self.weights).all() or (self.weights < 0).any():
            raise InputError(f"{self.name}: weights must be finite and not negative")
        for array in (self.features, *columns.values()):
            array.setflags(write=False)

    def fingerprint(self) -> str:
        """Return the SHA-256 of all that a search depends on, as hexadecimal digits."""
        digest = hashlib.sha256(repr((self.features.shape, self.class_names, self.feature_names)).encode())
        subset = () if self.subset is None else (self.subset,)
        for array in (self.features, self.labels, self.weights, self.groups, self.counted, *subset):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def n_outputs(self) -> int:
        """Outputs of a network for these labels: one logit for two classes, else one logit for each."""
        return 1 if self.n_classes == 2 else self.n_classes


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of the three subsets, each ascending; disjoint in rows and in groups."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    def __getitem__(self, subset: Subset) -> NDArray[np.int64]:
        """Return the rows of one subset."""
        rows: NDArray[np.int64] = getattr(self, subset)
        return rows

"""The jets that the package carries, as a `Dataset`."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data._dataset import Dataset
from nas_fpga.data._split import split
from nas_fpga.data.hgcal._archive import read_arrays
from nas_fpga.data.jets._definitions import CLASS_NAMES, FEATURES, NOTICE
from nas_fpga.data.jets._sample import Jets, read_jets, write_arrays

JETS_SEED = 1
"""Seed of the split of the table in the package."""


def load_jets() -> Dataset:
    """Return the 135,000 jets in the package, 27,000 of each class, already split 60 : 20 : 20 by event.

    The classes are gluon, quark, W, Z and top, the features the 16 of the well-known sets of LHC jets. It is another
    sample with another generator and another detector: accuracies must not be compared across the sets.
    """
    with as_file(files("nas_fpga.data") / "tables" / "jets.npz") as path:
        jets = read_jets(path)
        (subset,) = read_arrays(path, ("subset",), "table of jets")
    return _dataset(jets, subset.astype(np.int8))


def write_table(jets: Jets, path: Path, seed: int = JETS_SEED) -> None:
    """Write a table like the one in the package: jets, and the subset of each."""
    subset = np.empty(len(jets), np.uint8)
    divided = split(_dataset(jets, None), seed)
    for number, rows in enumerate((divided.train, divided.validation, divided.test)):
        subset[rows] = number
    write_arrays(path, jets.arrays() | {"subset": subset})


def _dataset(jets: Jets, subset: NDArray[np.int8] | None) -> Dataset:
    return Dataset(
        name="jets",
        features=jets.features,
        labels=jets.labels.astype(np.int64),
        class_names=CLASS_NAMES,
        feature_names=tuple(feature.name for feature in FEATURES),
        feature_units=tuple(feature.unit for feature in FEATURES),
        weights=np.ones(len(jets)),
        groups=jets.events,
        counted=np.ones(len(jets), dtype=np.bool_),
        spectators={"pt_gev": jets.pt_gev},
        subset=subset,
        provenance={
            "source": "Pythia 8.317 at 13 TeV, a detector of the CMS kind, anti-kT 0.8, see datasets/README.md",
            "groups": "events: up to two jets each",
            "notice": NOTICE,
        },
    )

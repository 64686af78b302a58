"""The two well-known sets of LHC jets: the one on OpenML and the one on CERNBox."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data._dataset import Dataset
from nas_fpga.data._readers import finite_rows, provenance
from nas_fpga.data._tables import Table, read_table
from nas_fpga.data.jets._definitions import CLASS_NAMES, FEATURE_NAMES, FEATURES
from nas_fpga.data.variants._recognise import (
    CERNBOX_CLASSES,
    CERNBOX_FEATURES,
    CLASS_CODES,
    another,
    is_beam_test,
    refuse_another,
)
from nas_fpga.data.variants._variant import CERNBOX_JETS, HGCAL_BEAM_TEST, OPENML_JETS, Variant, demand_file
from nas_fpga.errors import InputError

_MASS, _MULTIPLICITY = FEATURE_NAMES.index("mass_mmdt"), FEATURE_NAMES.index("multiplicity")
_MEDIAN_MASS_GEV = (10.0, 500.0)
"""Where the median groomed mass of jets of 1 TeV lies, whatever the mixture of classes; 80 to 100 GeV in both sets."""


def load_openml_jets(path: Path, n_rows: int | None = OPENML_JETS.n_rows) -> Dataset:
    """Read OpenML 42468, `hls4ml_lhc_jets_hlf`: 16 features and `class`, one of g, q, t, w and z.

    Args:
        path: ARFF, plain or packed, as `fetch_openml` leaves it, or Parquet.
        n_rows: Rows that it must have; None for any number.

    Raises:
        InputError: The file is missing, cut, mixed, of another data set, or in other units.
    """
    table = _read(path, OPENML_JETS, n_rows)
    names = table.columns["class"]
    unknown = sorted({str(name) for name in names.tolist()} - set(CLASS_CODES))
    if unknown:
        raise InputError(f"{path}: class '{unknown[0]}' is none of {', '.join(CLASS_CODES)}; {OPENML_JETS.download}")
    labels = np.select([names == code for code in CLASS_CODES], np.arange(len(CLASS_CODES)))
    features = _features(table, FEATURE_NAMES, OPENML_JETS)
    return _dataset(table, OPENML_JETS, features, labels, np.ones(table.n_rows, dtype=np.bool_))


def load_cernbox_jets(path: Path, n_rows: int | None = CERNBOX_JETS.n_rows) -> Dataset:
    """Read the file on CERNBox: one structured HDF5 dataset, `j_*` features, `j_g` to `j_t` of which one is 1.

    Rows of none of the five classes are dropped, and ``Dataset.repairs`` says so.

    Args:
        path: HDF5; it ends in `.z` where it was not renamed.
        n_rows: Rows that it must have; None for any number.

    Raises:
        InputError: The file is missing, cut, mixed, of another data set, or in other units.
    """
    table = _read(path, CERNBOX_JETS, n_rows)
    features = _features(table, CERNBOX_FEATURES, CERNBOX_JETS)
    one_hot = np.stack([_column(table, name, CERNBOX_JETS) for name in CERNBOX_CLASSES], axis=1)
    if not np.isin(one_hot, (0, 1)).all() or (one_hot.sum(axis=1) > 1).any():
        row = int(np.flatnonzero(~np.isin(one_hot, (0, 1)).all(axis=1) | (one_hot.sum(axis=1) > 1))[0])
        raise InputError(
            f"{path}: row {row + 1:,} is not of one class ({_listing(CERNBOX_CLASSES)} are {one_hot[row].tolist()}); "
            f"{CERNBOX_JETS.download}"
        )
    return _dataset(table, CERNBOX_JETS, features, one_hot.argmax(axis=1), one_hot.sum(axis=1) == 1)


def _read(path: Path, variant: Variant, n_rows: int | None) -> Table:
    demand_file(path, variant)
    if is_beam_test(path):
        raise another(path, variant, HGCAL_BEAM_TEST.name)
    table = read_table(path)
    refuse_another(path, variant, table.columns)
    needed = (*FEATURE_NAMES, "class") if variant is OPENML_JETS else (*CERNBOX_FEATURES, *CERNBOX_CLASSES)
    if missing := [name for name in needed if name not in table.columns]:
        raise InputError(f"{path} is not {variant.title}: it lacks {_listing(missing)}; {variant.download}")
    if n_rows is not None and table.n_rows != n_rows:
        how = "cut" if table.n_rows < n_rows else "mixed with other rows"
        raise InputError(
            f"{path} has {table.n_rows:,} rows and {variant.title} have {n_rows:,}: it is {how}; {variant.download}"
        )
    return table


def _features(table: Table, names: tuple[str, ...], variant: Variant) -> NDArray[np.float32]:
    """Return the features `(n, 16)` in the units of :data:`FEATURES`."""
    features = np.stack([_column(table, name, variant).astype(np.float32) for name in names], axis=1)
    mass, multiplicity = features[:, _MASS], features[:, _MULTIPLICITY]
    median, (low, high) = float(np.nanmedian(mass)), _MEDIAN_MASS_GEV
    if not low <= median <= high or np.nanmin(mass) < 0:
        raise InputError(
            f"{table.path}: {names[_MASS]} has the median {median:g}, not {low:g} to {high:g} GeV: it is in another "
            f"unit or scaled; give the file as it was published; {variant.download}"
        )
    counts = multiplicity[np.isfinite(multiplicity)]
    if (counts < 0).any() or (counts != np.rint(counts)).any():
        raise InputError(
            f"{table.path}: {names[_MULTIPLICITY]} is no number of constituents: it is scaled; give the file as it was "
            f"published; {variant.download}"
        )
    return features


def _column(table: Table, name: str, variant: Variant) -> NDArray[np.generic]:
    column = table.columns[name]
    if column.dtype.kind not in "biuf":
        raise InputError(f"{table.path}: {name} is not a number but {column.dtype.name}; {variant.download}")
    return column


def _dataset(
    table: Table, variant: Variant, features: NDArray[np.float32], labels: NDArray[np.int64], known: NDArray[np.bool_]
) -> Dataset:
    finite, dropped = finite_rows(features, FEATURE_NAMES)
    if n_unknown := int((~known).sum()):
        dropped.append(f"dropped {n_unknown:,} of {table.n_rows:,} rows that are of none of the five classes")
    keep = finite & known
    features, labels = np.ascontiguousarray(features[keep]), labels[keep].astype(np.int64)
    counts = np.bincount(labels, minlength=len(CLASS_NAMES))
    if not counts.all():
        raise InputError(
            f"{table.path} holds no jet of class '{CLASS_CODES[int(counts.argmin())]}'; {variant.download}"
        )
    groups = _copies(features)
    n_copies = len(groups) - int(groups.max()) - 1
    return Dataset(
        name=variant.name,
        features=features,
        labels=labels,
        class_names=CLASS_NAMES,
        feature_names=FEATURE_NAMES,
        feature_units=tuple(feature.unit for feature in FEATURES),
        weights=np.ones(len(labels)),
        groups=groups,
        counted=np.ones(len(labels), dtype=np.bool_),
        provenance={
            "variant": variant.name,
            "source": variant.source,
            "groups": f"rows, for the file tells no events; {n_copies:,} rows that repeat another stay with it",
            "notice": variant.notice,
        }
        | provenance(table, table.path),
        repairs=tuple(dropped),
    )


def _copies(features: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return a number for each row, equal for rows of equal features `(n, d)`, so that no copy of a row tests it."""
    words = features.view(np.uint32).astype(np.uint64)
    factors = np.random.default_rng(0).integers(2**63, size=words.shape[1], dtype=np.uint64) * 2 + 1
    keys = (words * factors).sum(axis=1, dtype=np.uint64)  # modulo 2**64: two of 10^6 rows meet by chance in 10^-8
    return np.unique(keys, return_inverse=True)[1].astype(np.int64)


def _listing(names: tuple[str, ...] | list[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")

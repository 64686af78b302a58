"""Users' tables as a `Dataset`: what is wrong is said in one line with its cure, what is repaired is said too."""

from __future__ import annotations

import difflib
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data._against_rest import against_rest
from nas_fpga.data._dataset import Dataset
from nas_fpga.data._tables import Column, Columns, Table, make_table, read_table
from nas_fpga.errors import InputError

MAX_CLASSES = 100
MIN_ROWS = 50
MIN_ROWS_PER_CLASS = 10
_ROW_INDICES = ("", "__index_level_0__")  # how pandas writes its index to CSV and Parquet
_LARGEST = float(np.finfo(np.float32).max)
_LARGEST_EXACT_INTEGER = 2**24  # of float32
_FEWEST_STEPS = 1000  # of float32 from end to end of a column, about ten bits


def read_dataset(
    source: str | Path | Mapping[str, Any],
    target: str | int,
    *,
    group: str | int | None = None,
    weight: str | int | None = None,
    signal: str | int | None = None,
    drop_constant: bool = True,
) -> Dataset:
    """Read labelled rows from a file or from columns in memory; every column not named here is a feature.

    Class names are the sorted values of the target, numerically where they are numbers. Of two classes the last is the
    signal unless ``signal`` names the other; of several, naming one makes all others its background, each of the same
    weight (:func:`against_rest`). Columns that never vary, whatever is missing in them, and rows with NaN or infinite
    features are dropped, and ``Dataset.repairs`` says so.

    Args:
        source: An npz, CSV, Parquet, ARFF, HDF5 or ROOT file, for the last two also `FILE.root:tree`; or a pandas data
            frame or arrays by name, where `{"x": X}` of two dimensions becomes the columns `x_0`, `x_1`, ...
        target: Column of the class: integers, text or booleans. Whole numbers name columns and classes like their text.
        group: Column whose equal values mark rows that never part (one event, one shower).
        weight: Column of row weights, not negative.
        signal: The class that is the signal; of several, against all others.
        drop_constant: False keeps columns that never vary, for a model that was trained with them.

    Raises:
        InputError: The file or a column cannot be used; the text names the value and the cure.
    """
    table = read_table(source) if isinstance(source, (str, Path)) else make_table(source)
    columns, repairs = without_row_index(table.columns)
    named = {"target": target, "group": group, "weight": weight}
    special = {option: str(name) for option, name in named.items() if name is not None}
    signal = None if signal is None else _class_name(signal)
    taken = [take_column(columns, name, option, table.path) for option, name in special.items()]
    if len(set(special.values())) < len(special):
        raise InputError(f"{' and '.join(special)} must be different columns of {table.path}, not {target}")
    by_option = dict(zip(special, taken, strict=True))
    try:
        classes = find_classes(special["target"], by_option["target"], signal)
        weights = _weights(by_option["weight"], special["weight"]) if "weight" in special else np.ones(table.n_rows)
        groups = _groups(by_option["group"], special["group"]) if "group" in special else np.arange(table.n_rows)
        features = {name: column for name, column in columns.items() if name not in special.values()}
        matrix, rounded = _feature_matrix(features)
        names = list(features)
        used = _varying_columns(matrix, names) | (not drop_constant)
        keep, dropped_rows = finite_rows(matrix[:, used], list(compress(names, used)))
        used &= _varying_columns(matrix[keep], names) | (not drop_constant)  # some varied in the rows that go
        check_counts(classes, keep, weights)
    except InputError as error:
        raise InputError(f"{table.path}: {error}") from error
    dataset = Dataset(
        name=table.path.stem,
        features=np.ascontiguousarray(matrix[keep][:, used]),
        labels=classes.labels[keep],
        class_names=classes.names,
        feature_names=tuple(compress(names, used)),
        feature_units=("",) * int(used.sum()),
        weights=weights[keep],
        groups=np.unique(groups[keep], return_inverse=True)[1].astype(np.int64),
        counted=np.ones(int(keep.sum()), dtype=np.bool_),
        provenance=provenance(table, source) | special,
        repairs=(*repairs, *rounded, *dropped_rows, *_dropped_columns(list(compress(names, ~used)))),
    )
    return dataset if signal is None or dataset.n_classes == 2 else against_rest(dataset, signal)


@dataclass(frozen=True, eq=False)
class Classes:
    """Class names in order, and the class of each row."""

    names: tuple[str, ...]
    labels: NDArray[np.int64]


def without_row_index(columns: Columns) -> tuple[Columns, list[str]]:
    """Return the columns but for the index that pandas writes, and the sentence that says so."""
    kept = {name: column for name, column in columns.items() if name not in _ROW_INDICES}
    return kept, ["dropped the unnamed column: it is a row index"] * (len(kept) < len(columns))


def take_column(columns: Columns, name: str, option: str, path: Path) -> Column:
    """Return the column that an option names.

    Raises:
        InputError: There is none; the text names the nearest.
    """
    if name in columns:
        return columns[name]
    near = difflib.get_close_matches(name, columns, n=1)
    meant = f"did you mean '{near[0]}'? " if near else ""
    raise InputError(f"{option} '{name}' is not a column of {path}; {meant}columns: {_listing(list(columns))}")


def _listing(names: Sequence[str], most: int = 12) -> str:
    """Return `a, b, c ... (64 in all)`."""
    return ", ".join(names) if len(names) <= most else f"{', '.join(names[:most])} ... ({len(names)} in all)"


def _missing(column: Column) -> NDArray[np.bool_]:
    """Return where a column has no usable value: NaN, an infinity, or an empty text."""
    if column.dtype.kind == "U":
        return np.asarray(column == "")
    return ~np.isfinite(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=np.bool_)


def _refuse_missing(column: Column, what: str) -> None:
    missing = np.flatnonzero(_missing(column))
    if len(missing):
        raise InputError(
            f"{what} has {len(missing):,} missing or infinite values (first in row {missing[0] + 1:,}); drop those rows"
        )


def find_classes(name: str, column: Column, signal: str | None) -> Classes:
    """Return the classes of a target: names sorted, numerically where they are numbers, the signal of two last.

    Raises:
        InputError: Values are missing, continuous, of one class, or the signal is none of them.
    """
    what = f"target '{name}'"
    if column.dtype.kind not in "biufU":
        raise InputError(f"{what} holds {column.dtype.name} values; classes are integers, text or booleans")
    _refuse_missing(column, what)
    values, labels = np.unique(column, return_inverse=True)
    if len(values) > MAX_CLASSES:
        shown = f"{values[0]} to {values[-1]}"
        cure = "it looks continuous or like an identifier; give a column of classes"
        raise InputError(f"{what} has {len(values):,} different values ({shown}), more than {MAX_CLASSES}: {cure}")
    names = [_class_name(value) for value in values]
    order = _class_order(names)
    if len(names) == 1:
        raise InputError(f"{what} has only the class '{names[0]}'; at least two are needed")
    if signal is not None:
        if signal not in names:
            raise InputError(f"signal '{signal}' is not a class of {what}; its classes are {', '.join(names)}")
        if len(names) == 2:
            order = [i for i in order if names[i] != signal] + [names.index(signal)]
    return Classes(tuple(names[i] for i in order), np.argsort(order)[labels].astype(np.int64))


def _class_name(value: np.generic | str | float) -> str:
    """Return the value as text, the same for `3` and `3.0`: formats differ in how they store integers."""
    return str(int(value)) if isinstance(value, (float, np.floating)) and value.is_integer() else str(value)


def _class_order(names: Sequence[str]) -> list[int]:
    """Sort numerically where all names are numbers, else as text."""
    try:
        numbers = [float(name) for name in names]
    except ValueError:
        return sorted(range(len(names)), key=names.__getitem__)
    return sorted(range(len(names)), key=numbers.__getitem__)


def _weights(column: Column, name: str) -> NDArray[np.float64]:
    what = f"weight '{name}'"
    if column.dtype.kind not in "biuf":
        raise InputError(f"{what} is not a number but {column.dtype.name}; give a column of numbers")
    _refuse_missing(column, what)
    weights = column.astype(np.float64)
    bad = np.flatnonzero(weights < 0)
    if len(bad):
        raise InputError(
            f"{what} is {weights[bad[0]]:g} in row {bad[0] + 1:,}; weights must be finite and not negative"
        )
    return weights


def _groups(column: Column, name: str) -> NDArray[np.int64]:
    _refuse_missing(column, f"group '{name}'")
    return np.unique(column, return_inverse=True)[1].astype(np.int64)


def _feature_matrix(features: Columns) -> tuple[NDArray[np.float32], list[str]]:
    """Return the features `(n, d)` as float32, NaN and infinities kept, and what rounding there was to speak of."""
    if not features:
        raise InputError("no feature columns are left; give a file with columns beside target, group and weight")
    other = [name for name, column in features.items() if column.dtype.kind not in "biuf"]
    if other:
        example = str(features[other[0]][0])
        cure = "encode them as numbers or leave them out of the file"
        raise InputError(f"columns that are not numbers: {_listing(other)} ('{example[:40]}'); {cure}")
    for name, column in features.items():
        check_range(name, column)
    rounded = [text for name, column in features.items() for text in rounding(name, column)]
    return np.stack([column.astype(np.float32) for column in features.values()], axis=1), rounded


def check_range(name: str, column: Column) -> None:
    """Refuse a column of numbers that float32 has not.

    Raises:
        InputError: It holds one; the text names the largest.
    """
    largest = max(map(abs, _ends(_finite(column))))
    if largest > _LARGEST:
        raise InputError(f"column '{name}' reaches {largest:g}, beyond float32 ({_LARGEST:g}); rescale it")


def _finite(column: Column) -> Column:
    finite = np.isfinite(column)
    return column if finite.all() else column[finite]


def _ends(values: Column) -> tuple[float, float]:
    """Return the least and the largest value, zeros where there is none."""
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)


def rounding(name: str, column: Column) -> list[str]:
    """Return the sentence that says what float32 loses of a column of numbers; none where that is next to nothing."""
    values = _finite(column)
    low, high = _ends(values)
    largest = max(-low, high)
    whole = column.dtype.kind in "iu"
    exact = largest <= _LARGEST_EXACT_INTEGER if whole else column.dtype.itemsize <= np.float32().itemsize
    if exact or largest > _LARGEST:
        return []
    step = max(2.0 ** (math.frexp(largest)[1] - 24), float(np.finfo(np.float32).smallest_subnormal))
    what = f"the integers of column '{name}'" if whole else f"column '{name}'"
    if 0 < high - low < _FEWEST_STEPS * step and (values != values.astype(np.float32)).any():
        cure = "subtract an offset or rescale it"
        return [f"rounded {what} (up to {largest:.6g}) to steps of {step:g} in a range of {high - low:.4g}; {cure}"]
    return [f"rounded {what} (up to {largest:.0f}) to 24 significant bits"] if whole else []


def finite_rows(matrix: NDArray[np.float32], names: Sequence[str]) -> tuple[NDArray[np.bool_], list[str]]:
    """Return which rows to keep, and the sentence that says how many go.

    Raises:
        InputError: More than half of the rows would go.
    """
    bad = ~np.isfinite(matrix)
    keep = np.asarray(~bad.any(axis=1))
    n_bad, n = int((~keep).sum()), len(keep)
    if not n_bad:
        return keep, []
    worst = int(bad.sum(axis=0).argmax())
    where = f"most in column '{names[worst]}': {int(bad[:, worst].sum()):,}"
    if n_bad > n / 2:
        raise InputError(f"{n_bad:,} of {n:,} rows have NaN or infinite features ({where}); leave that column out")
    return keep, [f"dropped {n_bad:,} of {n:,} rows with NaN or infinite features ({where})"]


def _varying_columns(matrix: NDArray[np.float32], names: Sequence[str]) -> NDArray[np.bool_]:
    """Return which columns have two different finite values.

    Raises:
        InputError: None has.
    """
    finite = np.isfinite(matrix)
    low = np.min(matrix, axis=0, initial=np.inf, where=finite)
    varying = np.asarray(low < np.max(matrix, axis=0, initial=-np.inf, where=finite))
    if not varying.any():
        raise InputError(f"no feature varies ({_listing(names)}); give columns that tell the classes apart")
    return varying


def _dropped_columns(constant: Sequence[str]) -> list[str]:
    """Return the sentence that names the columns that go."""
    word = "column" if len(constant) == 1 else "columns"
    return [f"dropped {len(constant)} constant {word}: {_listing(constant)}"] if constant else []


def check_counts(classes: Classes, keep: NDArray[np.bool_], weights: NDArray[np.float64]) -> None:
    """Refuse too few rows, in all or of weight above 0 in a class.

    Args:
        classes: Of all rows.
        keep: `(n,)` which rows are left.
        weights: `(n,)` of all rows.

    Raises:
        InputError: There are too few; the text says of what.
    """
    n = int(keep.sum())
    if n < MIN_ROWS:
        raise InputError(f"only {n} usable rows; at least {MIN_ROWS} are needed")
    counts = np.bincount(classes.labels[keep & (weights > 0)], minlength=len(classes.names))
    for name, count in zip(classes.names, counts, strict=True):
        if count < MIN_ROWS_PER_CLASS:
            needed = f"{MIN_ROWS_PER_CLASS} of weight above 0 are needed"
            raise InputError(f"class '{name}' has only {count} usable rows, {needed}; add rows or drop the class")


def provenance(table: Table, source: str | Path | Mapping[str, Any]) -> dict[str, str]:
    """Return the size and, of a file, its name and digest."""
    shape = {"rows": str(table.n_rows), "columns": str(len(table.columns))}
    if not isinstance(source, (str, Path)):
        return {"format": table.format} | shape
    with table.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "file": Path(source).name,
        "format": table.format,
        "bytes": str(table.path.stat().st_size),
        "sha256": digest,
    } | shape

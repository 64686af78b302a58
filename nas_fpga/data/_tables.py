"""Users' files as tables of named columns: one small reader for each format, chosen by suffix."""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data._arff import as_csv, take_names
from nas_fpga.errors import InputError

_OBJECT_SUFFIX = re.compile(r"^(?P<path>.+\.(?:root|h5|hdf5)):(?P<object>.+)$", re.IGNORECASE)
_ROOT_TABLES = ("TTree", "TNtuple", "TNtupleD", "ROOT::RNTuple")

Column = NDArray[Any]
Columns = dict[str, Column]
IN_MEMORY = "memory"


@dataclass(frozen=True)
class Table:
    """Columns of one length, by name, in the order of the file.

    Attributes:
        path: The file; of a table that is in memory `table`.
        format: `npz`, `CSV`, `Parquet`, `ARFF`, `HDF5` or `ROOT`; :data:`IN_MEMORY` of a table that is no file.
        columns: One-dimensional numpy arrays of booleans, numbers or text; missing values are NaN, in text ``""``.
    """

    path: Path
    format: str
    columns: Columns

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values())))


def read_table(source: str | Path) -> Table:
    """Read a table from npz, CSV, Parquet, ARFF, HDF5 or ROOT.

    Arrays of two dimensions become columns `name_0`, `name_1`, ...; structured arrays are one column per field.
    Columns keep the order of the file; HDF5 datasets written without creation order have none and come by name.

    Args:
        source: The file. For HDF5 and ROOT `FILE.root:tree` names an object inside it.

    Raises:
        InputError: The file is missing, of unknown kind, empty, damaged, or holds no table.
    """
    path, inner = _locate(source)
    name, reader = _FORMATS[_suffix(path)]
    try:
        columns = reader(path, inner)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        what = f"{path} holds the name {error.object[:40]!r}, which is not UTF-8"
        raise InputError(f"{what}; save it as UTF-8, unless it is damaged or of another format") from error
    except Exception as error:  # the parsers below let through whatever damaged bytes provoke in them
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path} cannot be read as {name} ({reason}); it is damaged or of another format") from error
    return _checked(Table(path, name, columns))


def make_table(source: Mapping[str, Any]) -> Table:
    """Return columns that are in memory, a data frame or arrays by name, as a table; arrays of two dimensions expand.

    Raises:
        InputError: There are no rows, or columns of different lengths.
    """
    columns = _expand({str(name): np.asarray(source[name]) for name in source})
    return _checked(Table(Path("table"), IN_MEMORY, columns))


def _checked(table: Table) -> Table:
    """Return the table, which has rows and columns of one length."""
    lengths = {key: len(column) for key, column in table.columns.items()}
    if not lengths or not max(lengths.values()):
        raise InputError(f"{table.path} has no rows; give a table of features and a target")
    if len(set(lengths.values())) > 1:
        some = ", ".join(f"{key}: {length:,}" for key, length in list(lengths.items())[:4])
        raise InputError(f"{table.path} has columns of different lengths ({some}); all need one value per row")
    return table


def file_and_object(source: str | Path) -> tuple[Path, str | None]:
    """Return the file that a source names, be it there or not, and the object inside it that is asked for."""
    match = _OBJECT_SUFFIX.match(str(source))
    if match and not Path(source).exists():
        return Path(match["path"]), match["object"]
    return Path(source), None


def _locate(source: str | Path) -> tuple[Path, str | None]:
    """Return the file, which exists and has a known suffix, and the object inside it that was asked for."""
    path, inner = file_and_object(source)
    if path.is_dir():
        raise InputError(f"{path} is a directory; give one file ({', '.join(_FORMATS)})")
    if _suffix(path) not in _FORMATS:
        raise InputError(f"{path} has the unknown suffix '{path.suffix}'; known are {', '.join(_FORMATS)}")
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist; give the path of a data file") from error
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror}); check its permissions") from error
    if size == 0:
        raise InputError(f"{path} is empty (0 bytes); write it again")
    return path, inner


def _suffix(path: Path) -> str:
    """Return `.csv` and the like; of a packed file the last two, `.arff.gz`."""
    return "".join(path.suffixes[-2 if path.suffix.lower() == ".gz" else -1 :]).lower()


def _read_npz(path: Path, inner: str | None) -> Columns:
    if not zipfile.is_zipfile(path):
        raise InputError("not a readable npz archive; it is truncated or of another format")
    with np.load(path, allow_pickle=False) as archive:
        return _expand({name: archive[name] for name in archive.files})


def _read_csv(path: Path, inner: str | None) -> Columns:
    from pyarrow import csv

    table = csv.read_csv(path)
    if table.num_columns == 1 and (other := re.search(r"[;\t|]", table.column_names[0])):
        raise InputError(f"columns are separated by {other[0]!r}; write the file with commas")
    return _from_arrow(table)


def _read_parquet(path: Path, inner: str | None) -> Columns:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        return _from_arrow(file.read())


def _read_arff(path: Path, inner: str | None) -> Columns:
    """Read Weka's format as OpenML writes it, all columns in every row; `?` is a missing value."""
    import pyarrow as pa
    from pyarrow import csv

    with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
        names = [name.decode() for name in take_names(file)]
        if not names:
            raise InputError("no @ATTRIBUTE lines in it; it is truncated or of another format")
        rows = as_csv(file.read())
    null = csv.ConvertOptions(null_values=["?", ""], strings_can_be_null=True)
    return _from_arrow(csv.read_csv(pa.BufferReader(rows), csv.ReadOptions(column_names=names), convert_options=null))


def _from_arrow(table: Any) -> Columns:
    import pyarrow as pa

    repeated = {name for name in table.column_names if table.column_names.count(name) > 1}
    if repeated:
        raise InputError(f"column '{min(repeated)}' appears more than once; give every column its own name")
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_decimal(column.type) or pa.types.is_null(column.type):
            column = column.cast(pa.float64())
        columns[name] = column.to_numpy()
    return _expand(columns)


def _read_hdf5(path: Path, inner: str | None) -> Columns:
    import h5py

    with h5py.File(path, "r") as file:
        if inner is not None and inner not in file:
            raise InputError(f"no object '{inner}' in it; there are {', '.join(file)}")
        item = file[inner] if inner is not None else file
        while isinstance(item, h5py.Group):
            datasets = {name: child for name, child in item.items() if isinstance(child, h5py.Dataset) and child.ndim}
            if datasets:
                return _expand({name: child[()] for name, child in datasets.items()})
            groups = [name for name, child in item.items() if isinstance(child, h5py.Group)]
            if len(groups) != 1:
                which = f"groups {', '.join(groups)}; name one: {path}:{groups[0]}" if groups else "no datasets in it"
                raise InputError(which)
            item = item[groups[0]]
        return _expand({item.name.rsplit("/", 1)[-1]: item[()]})


def _read_root(path: Path, inner: str | None) -> Columns:
    import uproot

    with uproot.open(path) as file:
        if path.stat().st_size < file.file.fEND:
            raise InputError("the file ends early: it is truncated or of another format")
        classes: Mapping[str, str] = file.classnames(cycle=False)
        trees = [name for name, kind in classes.items() if kind in _ROOT_TABLES]
        if not trees:
            raise InputError("no TTree or RNTuple in it; write the rows as one")
        if inner is None and len(trees) > 1:
            raise InputError(f"trees {', '.join(trees)}; name one: {path}:{trees[0]}")
        if inner is not None and inner not in trees:
            raise InputError(f"no tree '{inner}' in it; there are {', '.join(trees)}")
        return _expand(dict(file[inner or trees[0]].arrays(library="np")))


_FORMATS: dict[str, tuple[str, Callable[[Path, str | None], Columns]]] = {
    ".npz": ("npz", _read_npz),
    ".csv": ("CSV", _read_csv),
    ".parquet": ("Parquet", _read_parquet),
    ".pq": ("Parquet", _read_parquet),
    ".arff": ("ARFF", _read_arff),
    ".arff.gz": ("ARFF", _read_arff),
    ".h5": ("HDF5", _read_hdf5),
    ".hdf5": ("HDF5", _read_hdf5),
    ".z": ("HDF5", _read_hdf5),  # as the jets on CERNBox are called
    ".root": ("ROOT", _read_root),
}


def _expand(arrays: Mapping[str, Column]) -> Columns:
    """Return one-dimensional columns of plain types. Scalars (notes beside the table) are left out."""
    columns: Columns = {}
    for name, array in arrays.items():
        if array.ndim == 0:
            continue
        if array.dtype.names is not None:
            parts = _expand({field: array[field] for field in array.dtype.names})
        elif array.ndim == 1:
            parts = {name: _plain(name, array)}
        elif array.ndim == 2:
            parts = {f"{name}_{i}": _plain(name, array[:, i]) for i in range(array.shape[1])}
        else:
            raise InputError(f"column '{name}' has {array.ndim} dimensions; give columns one or two")
        for part in parts:
            if part in columns:
                raise InputError(f"column '{part}' appears more than once; give every column its own name")
        columns |= parts
    return columns


def _plain(name: str, array: Column) -> Column:
    """Return a column as booleans, numbers or text (`U`); dates stay dates, for the caller to refuse."""
    if array.dtype.kind == "S":
        return _text(name, array.tolist())
    if array.dtype.kind != "O":
        return np.ascontiguousarray(array)
    values = [None if isinstance(value, float) and np.isnan(value) else value for value in array]  # pandas has NaN
    kinds = {type(value) for value in values} - {type(None)}
    if kinds <= {bool, np.bool_}:  # a boolean column with missing values
        return np.array([np.nan if value is None else float(value) for value in values])
    if kinds <= {str, bytes}:
        return _text(name, values)
    raise InputError(f"column '{name}' holds lists or objects; give it one number or text per row")


def _text(name: str, values: Iterable[str | bytes | None]) -> Column:
    """Return text that is UTF-8: what replaces other bytes would make one class of several."""
    try:
        # uproot escapes what it cannot decode.
        raw = (value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value or b"" for value in values)
        return np.array([value.decode() for value in raw], dtype=np.str_)
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise InputError(
            f"column '{name}' holds {error.object[:40]!r}, which is not UTF-8; save the file as UTF-8"
        ) from error

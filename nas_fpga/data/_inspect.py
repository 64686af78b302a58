"""What is in a user's file, and how to search on it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data._association import gives_away
from nas_fpga.data._readers import (
    MAX_CLASSES,
    MIN_ROWS,
    MIN_ROWS_PER_CLASS,
    check_counts,
    check_range,
    find_classes,
    finite_rows,
    rounding,
    take_column,
    without_row_index,
)
from nas_fpga.data._tables import Column, Columns, Table, read_table
from nas_fpga.data.jets._definitions import FEATURE_NAMES
from nas_fpga.data.variants import (
    CERNBOX_JETS,
    HGCAL_BEAM_TEST,
    OPENML_JETS,
    VARIANTS,
    Variant,
    is_beam_test,
    read_events,
    recognise,
)
from nas_fpga.data.variants._recognise import CERNBOX_CLASSES, CERNBOX_FEATURES
from nas_fpga.errors import InputError

Role = Literal["target", "group", "weight", "feature", "constant", "identifier", "text", "unusable", "spectator"]
"""What a search makes of a column: features enter the network, constants are dropped, text is refused, spectators of
published data sets are left out."""

MAX_DISTINCT = 1000
"""Beyond so many values they are not counted."""
_SAMPLE = 10_000
_TARGETS = ("label", "target", "class", "y", "truth", "category", "type", "species", "signal", "pid", "pdgid", "pdg")
_TARGET_LIKE = re.compile(rf"^(?:is_?|.*_)?(?:{'|'.join(_TARGETS)})(?:_?id|s|es)?$")
_GROUP_LIKE = re.compile(r"^(?:.*_)?(?:event|evt|shower|collision|group)s?(?:_?(?:id|number|num|nr|no|idx|index))?$")
_WEIGHT_LIKE = re.compile(r"^(?:w|wt|wgt|.*weights?)$")
_IDENTIFIER_LIKE = re.compile(r"(?:^|_)(?:id|index|idx|row|number)$")


@dataclass(frozen=True)
class ColumnSummary:
    """One column.

    Attributes:
        name: As in the file.
        dtype: `float32`, `int64`, `bool`, `text`, ...
        role: See :data:`Role`.
        minimum: Smallest finite number; None of text and where there is none.
        maximum: Largest finite number.
        n_distinct: Different values, None for more than :data:`MAX_DISTINCT`.
        n_missing: NaN or empty text.
        n_infinite: Infinities.
        note: What a user should know of it, or an empty text.
    """

    name: str
    dtype: str
    role: Role
    minimum: float | int | None
    maximum: float | int | None
    n_distinct: int | None
    n_missing: int
    n_infinite: int
    note: str = ""


@dataclass(frozen=True)
class Inspection:
    """What :func:`inspect_file` found.

    Attributes:
        file: As given.
        format: `CSV`, `HDF5`, ...
        n_rows: Rows.
        variant: Name of the published data set that the file is of, or None.
        columns: In the order of the file.
        target: Column of the class: as asked, or suggested; None where there is no suggestion.
        classes: Rows of each class of the target, in the order of a search; with two, the second is the signal.
        group: Suggested column of groups, or None.
        weight: Suggested column of weights, or None.
        warnings: What is wrong or suspicious, one sentence each.
        command: The command that searches on the file.
    """

    file: str
    format: str
    n_rows: int
    variant: str | None
    columns: tuple[ColumnSummary, ...]
    target: str | None
    classes: Mapping[str, int]
    group: str | None
    weight: str | None
    warnings: tuple[str, ...]
    command: str


def inspect_file(source: str | Path, target: str | None = None) -> Inspection:
    """Read a table as :func:`read_dataset` does and say what is in it and how to search on it.

    Targets, groups and weights are suggested by name and by what is in the column: a target has few values, a group
    repeats, weights are not negative. Columns that give the target away are found by :func:`gives_away`.

    Args:
        source: A file that :func:`read_dataset` reads, or one of the published beam test.
        target: Column of the class; None to suggest one.

    Raises:
        InputError: The file or the target cannot be used.
    """
    beam_test = is_beam_test(Path(source))
    table = Table(Path(source), "HDF5", read_events(Path(source))) if beam_test else read_table(source)
    columns, dropped = without_row_index(table.columns)
    if target is not None:
        find_classes(target, take_column(columns, target, "target", table.path), None)
    asked = target is not None
    found = [HGCAL_BEAM_TEST.name] if beam_test else recognise(columns)
    variant = VARIANTS.get(found[0]) if len(found) == 1 else None
    published = variant is not None and not asked  # else it is any table, whatever it holds
    counts = {name: _count_distinct(column) for name, column in columns.items()}
    if target is None and variant in (None, OPENML_JETS):
        target = _suggest_target(columns, counts)
    rest = {} if published else {name: column for name, column in columns.items() if name != target}
    group, weight = _suggest_group(rest), _suggest_weight(rest)
    special: dict[str | None, Role] = {target: "target", group: "group", weight: "weight"}
    if variant is not None and published:
        special |= {name: role for name in columns if name != target and (role := _published_role(name, variant))}
    summaries = tuple(_summary(name, column, counts[name], special.get(name)) for name, column in columns.items())
    classes: dict[str, int] = {}
    warnings = [_sentence(text) for text in dropped]
    broken = [s.name for s in summaries if s.role == "feature" and s.n_missing + s.n_infinite]
    keep, said_of_rows = _rows_left({name: columns[name] for name in broken}, table.n_rows)
    if len(found) > 1:
        warnings.append(f"Rows or columns of {' and '.join(found)} are mixed: different data sets")
    if target is not None:
        labels = find_classes(target, columns[target], None)
        classes = dict(zip(labels.names, np.bincount(labels.labels).tolist(), strict=True))
        weights = columns[weight].astype(np.float64) if weight is not None else np.ones(table.n_rows)
        few = _too_few(table.n_rows, classes)
        warnings += few or _refused(check_counts, labels, keep, weights)
        features = {s.name: columns[s.name] for s in summaries if s.role in ("feature", "text", "identifier")}
        warnings += gives_away(features, labels.labels, target)
    warnings += _about(summaries) + said_of_rows
    for s in summaries:
        if s.role in ("feature", "constant", "identifier"):
            warnings += _refused(check_range, s.name, columns[s.name])
        if s.role == "feature":
            warnings += [_sentence(text) for text in rounding(s.name, columns[s.name])]
    if variant is CERNBOX_JETS and not asked:
        classes = {name: int((columns[name] == 1).sum()) for name in CERNBOX_CLASSES if name in columns}
    if variant is not None and variant.n_rows not in (None, table.n_rows):
        warnings.append(
            f"The published file has {variant.n_rows:,} rows, this one {table.n_rows:,}; {variant.name} refuses it"
        )
    return Inspection(
        file=str(source),
        format=table.format,
        n_rows=table.n_rows,
        variant=variant.name if variant is not None else None,
        columns=summaries,
        target=target,
        classes=classes,
        group=group,
        weight=weight,
        warnings=tuple(warnings),
        command=_command(str(source), variant if published else None, target, group, weight),
    )


def _count_distinct(column: Column) -> int | None:
    """Return the number of different values but the missing ones, None for more than :data:`MAX_DISTINCT`."""
    for part in (column[:: -(-len(column) // _SAMPLE)], column):
        values = _values(part)
        if len(values) > MAX_DISTINCT:
            return None
    return len(values)


def _values(column: Column) -> NDArray[np.generic]:
    """Return the different values, sorted, without missing ones."""
    if column.dtype.kind == "U":  # faster than sorting text
        return np.array(sorted(set(column.tolist()) - {""}))
    return np.unique(column[np.isfinite(column)] if column.dtype.kind == "f" else column)


def _suggest_target(columns: Columns, counts: Mapping[str, int | None]) -> str | None:
    """Return the column of few values with the most telling name, else the only one of text or of few whole numbers."""
    fit = [name for name, column in columns.items() if _could_be_target(column, counts[name])]
    named = [name for name in fit if _TARGET_LIKE.match(name.lower())]
    if named:
        return min(named, key=lambda name: _TARGETS.index(name.lower()) if name.lower() in _TARGETS else len(_TARGETS))
    for kinds, most in (("U", MAX_CLASSES), ("biu", 20)):
        alone = [name for name in fit if columns[name].dtype.kind in kinds and (counts[name] or 0) <= most]
        if len(alone) == 1:
            return alone[0]
    return None


def _could_be_target(column: Column, n_distinct: int | None) -> bool:
    if n_distinct is None or not 2 <= n_distinct <= MAX_CLASSES or column.dtype.kind not in "biufU":
        return False
    if column.dtype.kind == "U":
        return bool((column != "").all())
    return column.dtype.kind != "f" or bool(np.isfinite(column).all() and (column == np.rint(column)).all())


def _suggest_group(columns: Columns) -> str | None:
    """Return the column with the name of an event whose values repeat."""
    for name, column in columns.items():
        if _GROUP_LIKE.match(name.lower()) and column.dtype.kind in "iufU":
            n = len(_values(column))
            if 1 < n < len(column) and not (column.dtype.kind == "f" and not np.isfinite(column).all()):
                return name
    return None


def _suggest_weight(columns: Columns) -> str | None:
    for name, column in columns.items():
        numbers = _WEIGHT_LIKE.match(name.lower()) and column.dtype.kind in "iuf" and np.isfinite(column).all()
        if numbers and column.min() >= 0 and column.max() > 0:
            return name
    return None


def _summary(name: str, column: Column, n_distinct: int | None, role: Role | None) -> ColumnSummary:
    kind = column.dtype.kind
    n_missing = int((column == "").sum()) if kind == "U" else int(np.isnan(column).sum()) if kind == "f" else 0
    n_infinite = int(np.isinf(column).sum()) if kind == "f" else 0
    lowest = highest = None
    if kind in "biuf" and n_missing + n_infinite < len(column):
        finite = column[np.isfinite(column)] if n_missing + n_infinite else column
        lowest, highest = finite.min().item(), finite.max().item()
    role = role or _role(name, column, n_distinct)
    dtype = "text" if kind == "U" else column.dtype.name
    return ColumnSummary(name, dtype, role, lowest, highest, n_distinct, n_missing, n_infinite, _NOTES.get(role, ""))


_NOTES: dict[Role, str] = {
    "target": "the target",
    "group": "groups: equal rows stay together",
    "weight": "weights",
    "constant": "never varies: dropped",
    "identifier": "an identifier? it would become a feature",
    "text": "text: refused as a feature",
    "unusable": "no numbers: refused as a feature",
    "spectator": "no feature of this data set",
}


def _published_role(name: str, variant: Variant) -> Role | None:
    """Return the role of a column that is not a feature of a published data set."""
    if variant is CERNBOX_JETS:
        return "target" if name in CERNBOX_CLASSES else None if name in CERNBOX_FEATURES else "spectator"
    return None if variant is OPENML_JETS and name in FEATURE_NAMES else "spectator"


def _role(name: str, column: Column, n_distinct: int | None) -> Role:
    if column.dtype.kind == "U":
        return "text"
    if column.dtype.kind not in "biuf":
        return "unusable"
    if n_distinct is not None and n_distinct <= 1:
        return "constant"
    numbered = column.dtype.kind in "iu" and len(column) > 1 and bool((np.diff(column.astype(np.int64)) == 1).all())
    named = _IDENTIFIER_LIKE.search(name.lower()) or _GROUP_LIKE.match(name.lower())
    unique = named and n_distinct is None and column.dtype.kind in "iu" and len(_values(column)) == len(column)
    return "identifier" if numbered or unique else "feature"


def _too_few(n_rows: int, classes: Mapping[str, int]) -> list[str]:
    told = [f"Only {n_rows} rows; a search needs {MIN_ROWS}"] if n_rows < MIN_ROWS else []
    few = [f"class '{name}' has {n}" for name, n in classes.items() if n < MIN_ROWS_PER_CLASS]
    return told + ([f"Too few rows: {', '.join(few)}; a search needs {MIN_ROWS_PER_CLASS}"] if few else [])


def _about(summaries: tuple[ColumnSummary, ...]) -> list[str]:
    """Return what a search would refuse or learn by mistake."""
    text = [s.name for s in summaries if s.role in ("text", "unusable")]
    identifiers = [s.name for s in summaries if s.role == "identifier"]
    told = [f"Encode as numbers or leave out of the file: {_listing(text)}"] if text else []
    return told + (
        [f"Leave out of the file, unless it is meant as a feature: {_listing(identifiers)}"] if identifiers else []
    )


def _rows_left(broken: Columns, n_rows: int) -> tuple[NDArray[np.bool_], list[str]]:
    """Return the rows `(n,)` that a search would keep of features with NaN or infinities, and what to say of it."""
    keep = np.ones(n_rows, np.bool_)
    if not broken:
        return keep, []
    with np.errstate(over="ignore"):  # said of the column
        matrix = np.stack([column.astype(np.float32) for column in broken.values()], axis=1)
    try:
        keep, _ = finite_rows(matrix, list(broken))
    except InputError as error:
        return keep, [_sentence(str(error))]
    return keep, [f"Rows with NaN or infinities are dropped: in {_listing(list(broken))}"]


def _refused(check: Callable[..., None], *arguments: object) -> list[str]:
    """Return what a check of the reader would refuse, as a warning."""
    try:
        check(*arguments)
    except InputError as error:
        return [_sentence(str(error))]
    return []


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _listing(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _command(file: str, variant: Variant | None, target: str | None, group: str | None, weight: str | None) -> str:
    words = ["nas-fpga", "search", "--data"]
    if variant is not None:
        files = ",".join(variant.files) if len(variant.files) > 1 else file
        return shlex.join([*words, f"{variant.name}:{files}"])
    words += [file, "--target", target or "COLUMN"]
    words += ["--group", group] if group else []
    return shlex.join([*words, *(["--weight", weight] if weight else [])])

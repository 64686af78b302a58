"""Tables of designs, as people keep them in a spreadsheet."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path

from nas_fpga.errors import InputError
from nas_fpga.hardware import RESOURCES, STAGES, STRATEGIES, Resource, StageCounts

_NEEDED = ("design", "strategy", "stage")
COLUMNS = (*_NEEDED, *RESOURCES, "network")
"""Columns of a table: one design at one stage in a row; an empty cell is not known. ``network`` says which designs are
of one network; without it each is one."""


def read_table(path: Path) -> list[StageCounts]:
    """Read a CSV file with the columns of :data:`COLUMNS`; any of the resources and the network may be missing.

    Raises:
        InputError: A column is missing or unknown, or a cell cannot be used.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            names = [name.strip() for name in rows.fieldnames or ()]
            rows.fieldnames = names
            missing, unknown = set(_NEEDED) - set(names), set(names) - set(COLUMNS)
            if missing or unknown or not set(names) & set(RESOURCES):
                raise InputError(f"{path} has columns {', '.join(names) or 'none'}; known are {', '.join(COLUMNS)}")
            return [_read_row(f"{path}, line {rows.line_num}", row) for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is no CSV table in UTF-8 ({error}); save it as one") from error


def _read_row(where: str, row: Mapping[str | None, str | None]) -> StageCounts:
    cells = {name: (text or "").strip() for name, text in row.items() if isinstance(name, str)}
    if len(cells) < len(row):
        raise InputError(f"{where}: it has more cells than columns; check its commas")
    design, stage = cells["design"], cells["stage"]
    strategy = cells["strategy"].replace("-", "_")
    if not design:
        raise InputError(f"{where}: it names no design; give each a name")
    if strategy not in STRATEGIES:
        raise InputError(f"{where}: strategy '{cells['strategy']}' is none of {', '.join(STRATEGIES)}")
    if stage not in STAGES:
        raise InputError(f"{where}: stage '{stage}' is none of {', '.join(STAGES)}")
    counts = {name: _count(where, name, cells[name]) for name in RESOURCES if cells.get(name)}
    if not counts:
        raise InputError(f"{where}: design {design} has no figures at {stage}; fill in LUTs or flip-flops")
    return StageCounts(
        design=design,
        network=cells.get("network") or design,
        strategy=next(known for known in STRATEGIES if known == strategy),
        stage=next(known for known in STAGES if known == stage),
        counts=counts,
    )


def _count(where: str, name: Resource, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    may_be_none = name in ("dsp", "bram18")
    if not (math.isfinite(value) and (value > 0 or (value == 0 and may_be_none))):
        least = "0 or more" if may_be_none else "above 0"
        raise InputError(f"{where}: {name} '{text}' must be a number {least}; leave the cell empty if it is not known")
    return value

"""Counts that tools need long for, kept by content in the user's cache, so that none is made twice."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Counts = TypeVar("Counts", bound="DataclassInstance")


def cache_folder(name: str) -> Path:
    """Return a folder of the user's cache, ``~/.cache/nas-fpga/NAME``; ``XDG_CACHE_HOME`` replaces ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nas-fpga" / name


def recall(path: Path, kind: type[Counts]) -> Counts | None:
    """Return counts that were kept; None where there are none, or what is there is damaged.

    Args:
        path: Of the entry.
        kind: A dataclass of numbers and tuples of numbers.
    """
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        values = {field.name: found.pop(field.name) for field in fields(kind)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    numbers = [number for value in values.values() for number in (value if isinstance(value, list) else [value])]
    if found or not all(isinstance(number, int | float) for number in numbers):
        return None
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def keep(path: Path, counts: DataclassInstance) -> None:
    """Keep counts, in one step. Where the cache cannot be written, they are counted again the next time."""
    partial = path.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(asdict(counts)), encoding="utf-8")
        partial.replace(path)

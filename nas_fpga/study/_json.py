"""Frozen dataclasses to JSON values and back, by their type hints."""

from __future__ import annotations

import functools
import json
import math
import types
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_hints = functools.lru_cache(maxsize=None)(get_type_hints)


def to_json(value: Any) -> Any:
    """Return a dataclass of plain values, tuples and dataclasses as JSON values."""
    return json.loads(json.dumps(asdict(value)))


def finite(value: Any, digits: int | None = None) -> Any:
    """Return JSON values with None for what is no number, which JSON does not have.

    Args:
        value: Numbers, texts, dicts, lists and tuples.
        digits: Significant ones that numbers keep; None for all.
    """
    if isinstance(value, float):
        return None if not math.isfinite(value) else value if digits is None else float(f"{value:.{digits}g}")
    if isinstance(value, dict):
        return {key: finite(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item, digits) for item in value]
    return value


def from_json(kind: type[T], value: Any) -> T:
    """Return the dataclass that :func:`to_json` wrote.

    A field that is missing takes its default: it is younger than what was written.

    Raises:
        KeyError: A field without a default is missing.
        TypeError: A field is unknown.
    """
    decoded: T = _decode(kind, value)
    return decoded


def _decode(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if is_dataclass(kind) and isinstance(kind, type):
        unknown = set(value) - set(_hints(kind))
        if unknown:
            raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
        younger = {field.name for field in fields(kind) if _has_default(field)} - set(value)
        return kind(**{name: _decode(hint, value[name]) for name, hint in _hints(kind).items() if name not in younger})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        inner = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(_decode(hint, item) for hint, item in zip(inner, value, strict=True))
    if origin in (Union, types.UnionType):
        kinds = [hint for hint in arguments if hint is not type(None)]
        return _decode(next((hint for hint in kinds if _fits(hint, value)), kinds[0]), value)
    return value


def _fits(kind: Any, value: Any) -> bool:
    """Return whether a value is of a kind of a union: a dataclass is known by the names of its fields."""
    if not is_dataclass(kind) or not isinstance(value, dict):
        return is_dataclass(kind) == isinstance(value, dict)
    needed = {field.name for field in fields(kind) if not _has_default(field)}
    return needed <= set(value) <= {field.name for field in fields(kind)}


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING

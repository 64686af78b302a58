"""Frozen dataclasses to JSON values and back, by their type hints."""

from __future__ import annotations

import functools
import json
import types
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_hints = functools.lru_cache(maxsize=None)(get_type_hints)


def to_json(value: Any) -> Any:
    """Return a dataclass of plain values, tuples and dataclasses as JSON values."""
    return json.loads(json.dumps(asdict(value)))


def from_json(kind: type[T], value: Any) -> T:
    """Return the dataclass that :func:`to_json` wrote.

    A field that has a default has it where it is missing: what was written before the field existed was done as the
    default does it.

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
        needed = {field.name for field in fields(kind) if field.default is MISSING}
        hints = {name: hint for name, hint in _hints(kind).items() if name in value or name in needed}
        return kind(**{name: _decode(hint, value[name]) for name, hint in hints.items()})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        inner = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(_decode(hint, item) for hint, item in zip(inner, value, strict=True))
    if origin in (Union, types.UnionType):
        return _decode(next(hint for hint in arguments if hint is not type(None)), value)
    return value

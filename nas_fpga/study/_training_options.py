"""Reads what the user says about training settings that are searched."""

from __future__ import annotations

import numbers
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from nas_fpga.errors import InputError
from nas_fpga.space import SETTING_SCALES, TRAINING_PRESETS, TrainingSpace

_INTEGERS = ("integers", "powers of two")


def read_search_training(given: Any, fixed: Collection[str] = ()) -> TrainingSpace:
    """Return the training settings to search.

    Args:
        given: A preset and ranges, `orca,dropout=0:0.2`, either alone, where a range replaces the preset's; ranges by
            name, ``{"dropout": (0, 0.2)}``; a :class:`TrainingSpace`; or None.
        fixed: Settings that the user fixed; a preset leaves them out.

    Raises:
        InputError: It is none of these, or searches by name what is fixed.
    """
    if given is None or isinstance(given, TrainingSpace):
        return given or TrainingSpace()
    preset, ranges = _parts(given)
    both = [name for name in ranges if name in fixed]
    if both:
        option = both[0].replace("_", "-")
        raise InputError(f"--{option} fixes what --search-training {option}=LOW:HIGH searches; leave one of them out")
    start = TRAINING_PRESETS[preset].without(tuple(fixed)) if preset else TrainingSpace()
    return TrainingSpace(**{**start.ranges, **ranges})  # type: ignore[arg-type]


def ranges_named(given: Any) -> Collection[str]:
    """Return the settings whose ranges the user named one by one; see :func:`read_search_training`."""
    return _parts(given)[1] if isinstance(given, (str, Mapping)) else ()


def written(training: TrainingSpace) -> str:
    """Return the ranges as the command line takes them; empty where nothing is searched."""
    ranges = training.ranges.items()
    return ",".join(f"{name.replace('_', '-')}={_number(low)}:{_number(high)}" for name, (low, high) in ranges)


def _parts(given: Any) -> tuple[str | None, dict[str, tuple[float, float]]]:
    """Return the name of the preset, and the ranges named one by one."""
    if isinstance(given, Mapping):
        return None, dict(_range(str(name), ends, given) for name, ends in given.items())
    if not isinstance(given, str):
        raise _no_such(given)
    items = [item.strip() for item in given.split(",")]
    presets = [item for item in items if item in TRAINING_PRESETS]
    others = [item.partition("=") for item in items if item not in TRAINING_PRESETS]
    if len(presets) > 1:
        raise InputError(f"--search-training {given} names {' and '.join(presets)}; give one preset, and ranges")
    found = [_range(name, ends.split(":"), given) for name, _, ends in others]
    if len({name for name, _ in found}) < len(found):
        raise InputError(f"--search-training {given} names a setting twice; give each once")
    return next(iter(presets), None), dict(found)


def _range(name: str, ends: Any, given: Any) -> tuple[str, tuple[float, float]]:
    name = name.strip().replace("-", "_")
    if name not in SETTING_SCALES or not isinstance(ends, Sequence) or len(ends) != 2:
        raise _no_such(given)
    kind = int if SETTING_SCALES[name] in _INTEGERS else float
    try:
        low, high = (kind(end) if isinstance(end, str) or kind is float else _integer(end) for end in ends)
    except (TypeError, ValueError):
        raise _no_such(given) from None
    return name, (low, high)


def _integer(value: Any) -> int:
    if not isinstance(value, numbers.Integral):
        raise TypeError(value)
    return int(value)


def _no_such(given: Any) -> InputError:
    return InputError(
        f"--search-training {given} is neither a preset ({', '.join(TRAINING_PRESETS)}) nor ranges such as "
        f"learning-rate=1e-4:1e-1,batch-size=256:4096, of {', '.join(SETTING_SCALES).replace('_', '-')}"
    )


def _number(value: float) -> str:
    return repr(value).removesuffix(".0")

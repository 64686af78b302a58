"""What defines a comparison or a sweep, on disk; and where these lie: `RUNS/NAME`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from nas_fpga._files import write_whole
from nas_fpga.errors import StudyError
from nas_fpga.study import from_json, to_json

T = TypeVar("T")


def write_definition(path: Path, definition: Any) -> None:
    """Write what defines a comparison or sweep, in one step.

    Raises:
        StudyError: The folder cannot be made or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(to_json(definition), indent=1, sort_keys=True) + "\n")
    except OSError as error:
        raise StudyError(f"folder {path.parent} cannot be written ({error.strerror}); give another --runs") from error


def read_definition(path: Path, kind: type[T]) -> T:
    """Return what :func:`write_definition` wrote.

    Raises:
        StudyError: There is no such file, or it is damaged.
    """
    try:
        return from_json(kind, json.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise StudyError(
            f"there is no {path.stem} '{path.parent.name}' in {path.parent.parent}; name one with --name"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise StudyError(f"{path} cannot be read ({error}); start another with --name") from error


def existing(runs: Path, name: str | None, file: str) -> Path:
    """Return the folder of a comparison or sweep, the latest if none is named.

    Args:
        runs: Folder that holds them.
        name: Its name, or None.
        file: That it has: ``comparison.json`` or ``sweep.json``.

    Raises:
        StudyError: There is none, or the name is no plain name.
    """
    if name is not None:
        return runs / plain_name(name)
    found = list(runs.glob(f"*/{file}"))
    if not found:
        raise StudyError(f"no {Path(file).stem} in {runs}; start one, or name the folder with --runs")
    return max(found, key=lambda path: path.stat().st_mtime).parent


def plain_name(name: str) -> str:
    """Return a name that is one.

    Raises:
        StudyError: It is a path, or empty.
    """
    if not name.strip() or name in (".", "..") or Path(name).name != name:
        raise StudyError(f"--name '{name}' must be a plain name; give its folder with --runs")
    return name


def new(runs: Path, kind: str, data: str) -> Path:
    """Return the folder of a new comparison or sweep that nobody named: `KIND-DATA-NUMBER`."""
    from nas_fpga.data.variants import variant_of

    variant = variant_of(data)
    stem = f"{kind}-{variant.name if variant else Path(data).stem}"
    number = 1
    while (runs / f"{stem}-{number}").exists():
        number += 1
    return runs / f"{stem}-{number}"

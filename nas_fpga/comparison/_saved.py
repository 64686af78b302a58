"""What defines a comparison or a sweep, on disk; and where these lie: `RUNS/NAME`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from nas_fpga._files import write_whole
from nas_fpga.errors import StudyError
from nas_fpga.study import from_json, held_by, name_of, new_folder, plain_name, take_lock, to_json

T = TypeVar("T")


def write_definition(path: Path, definition: Any) -> None:
    """Write what defines a comparison or sweep, in one step.

    Raises:
        StudyError: The folder cannot be written.
    """
    try:
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
        return runs / plain_name(name, "--name")
    found = list(runs.glob(f"*/{file}"))
    if not found:
        raise StudyError(f"no {Path(file).stem} in {runs}; start one, or name the folder with --runs")
    return max(found, key=lambda path: path.stat().st_mtime).parent


def new(runs: Path, name: str | None, command: str, data: str) -> Path:
    """Return the folder of a new comparison or sweep: `COMMAND-DATA-NUMBER` if it is not named.

    Raises:
        StudyError: The name is no plain name.
    """
    return runs / plain_name(name, "--name") if name is not None else new_folder(runs, f"{command}-{name_of(data)}")


def refuse_used(path: Path) -> None:
    """Refuse a folder for a new comparison or sweep that holds anything.

    Args:
        path: Of the file that is to define it.

    Raises:
        StudyError: It does.
    """
    folder = path.parent
    if path.exists():
        raise StudyError(
            f"{path.stem} '{folder.name}' exists in {folder.parent}; continue it with --resume or give another --name"
        )
    killed = f"{path.name}.tmp"  # what a process leaves that is killed while it writes the file
    if held := held_by(folder, besides=(_lock_of(path).name, killed)):
        raise StudyError(f"folder {folder} holds {held}, but no {path.stem}; give another --name")


@contextlib.contextmanager
def kept_from_others(path: Path, definition: Any, *, resume: bool) -> Iterator[None]:
    """Keep a folder from other processes while the block runs, with what defines the comparison or sweep in it.

    Args:
        path: Of the file that defines it.
        definition: Is written into that once no other process runs it.
        resume: Whether it is there already.

    Raises:
        StudyError: Another process runs it or, if it is new, was faster; or the folder cannot be made or written.
    """
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"folder {folder} cannot be made ({error.strerror}); give another --runs") from error
    with take_lock(_lock_of(path), f"{path.stem} '{folder.name}'", "--name"):
        if not resume:
            refuse_used(path)
        write_definition(path, definition)
        yield


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")

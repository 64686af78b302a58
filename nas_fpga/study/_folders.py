"""Where studies lie, and comparisons and sweeps of them: `RUNS/NAME`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from nas_fpga.data.variants import variant_of
from nas_fpga.errors import StudyError

_NAMED = 3  # files in one line


def existing_study(runs: Path, study: str | None, *, stored_elsewhere: bool = False) -> Path:
    """Return the folder of a study, the latest if none is named.

    Args:
        runs: Folder that holds the studies.
        study: Its name, or None.
        stored_elsewhere: Whether the studies are in another storage than files in their folders.

    Raises:
        StudyError: There is none, or the name is no plain name.
    """
    if (runs / "study.db").exists():
        raise StudyError(f"{runs} is a study itself; give --runs {runs.parent} --study {runs.name}")
    if study is not None:
        return runs / plain_name(study, "--study")
    studies = [lock for lock in runs.glob("*/lock") if stored_elsewhere or (lock.parent / "study.db").exists()]
    if not studies:
        raise StudyError(f"no study in {runs}; search first, or name the folder with --runs")
    return max(studies, key=lambda lock: lock.stat().st_mtime).parent  # the lock is written when a search starts


def new_study(runs: Path, data: str, budget: int) -> Path:
    """Return the folder of a new study that nobody named: `DATA-BUDGET-NUMBER`."""
    return new_folder(runs, f"{name_of(data)}-{budget}")


def new_folder(runs: Path, stem: str) -> Path:
    """Return the first folder `STEM-NUMBER` that is not there."""
    number = 1
    while (runs / (name := f"{stem}-{number}")).exists():
        number += 1
    return runs / name


def name_of(data: str) -> str:
    """Return what a data set is called in the names of folders."""
    variant = variant_of(data)
    return variant.name if variant else Path(data).stem


def plain_name(name: str, option: str) -> str:
    """Return a name, given by an option, that is one.

    Raises:
        StudyError: It is a path, or empty, or bytes that are no text.
    """
    if not name.strip() or name == ".." or Path(name).name != name:
        raise StudyError(f"{option} '{name}' must be a plain name; give its folder with --runs")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise StudyError(f"{option} {name!a} must be text; give another") from None
    return name


def held_by(folder: Path, besides: Collection[str] = ()) -> str:
    """Return what a folder holds, in words; empty where that is nothing, or nothing but ``besides``."""
    names = sorted(path.name for path in folder.iterdir() if path.name not in besides) if folder.is_dir() else []
    return ", ".join(names[:_NAMED]) + ", ..." * (len(names) > _NAMED)

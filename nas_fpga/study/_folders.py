"""Where studies lie: `RUNS/NAME`."""

from __future__ import annotations

from pathlib import Path

from nas_fpga.data.variants import variant_of
from nas_fpga.errors import StudyError


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
        if not study.strip() or study == ".." or Path(study).name != study:
            raise StudyError(f"--study '{study}' must be a plain name; give its folder with --runs")
        return runs / study
    studies = [lock for lock in runs.glob("*/lock") if stored_elsewhere or (lock.parent / "study.db").exists()]
    if not studies:
        raise StudyError(f"no study in {runs}; search first, or name the folder with --runs")
    return max(studies, key=lambda lock: lock.stat().st_mtime).parent  # the lock is written when a search starts


def new_study(runs: Path, data: str, budget: int) -> Path:
    """Return the folder of a new study that nobody named: `DATA-BUDGET-NUMBER`."""
    variant = variant_of(data)
    name = f"{variant.name if variant else Path(data).stem}-{budget}"
    number = 1
    while (runs / (folder := f"{name}-{number}")).exists():
        number += 1
    return runs / folder

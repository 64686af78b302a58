"""From folders, reports and tables to a calibration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from nas_fpga.calibration._projects import project_of, projects_in, read_project, reports_in
from nas_fpga.calibration._table import COLUMNS, read_table
from nas_fpga.errors import InputError
from nas_fpga.hardware import Learned, StageCounts, learn

TABLE_COLUMNS = COLUMNS


def calibrate(paths: Sequence[Path | str], *, message: Callable[[str], None] = print) -> Learned:
    """Learn the ratios between the stages of a user's own designs.

    Args:
        paths: Folders of projects, of ``nas-fpga export`` or of hls4ml, in which all reports count; reports in such
            folders; or CSV files with one design at one stage in a row, see :data:`TABLE_COLUMNS`.
        message: Told what is read and what has no part.

    Returns:
        The calibration and the designs it rests on; what is left out is named.

    Raises:
        InputError: A path is none of these, a report is damaged, figures are nonsense, or no design is known at two
            stages that can be compared.
    """
    counted: list[StageCounts] = []
    reports: dict[Path, set[Path]] = {}
    for path in map(Path, paths):
        if not path.exists():
            raise InputError(f"{path} is not there; give a folder of projects, a report or a CSV table")
        if path.is_dir():
            projects = projects_in(path)
            if not projects:
                raise InputError(
                    f"{path} holds no project of nas-fpga export or hls4ml; give its folder or a CSV table"
                )
            for project in projects:
                reports.setdefault(project, set()).update(reports_in(project))
        elif path.suffix.lower() == ".csv":
            counted += read_table(path)
        else:
            reports.setdefault(project_of(path), set()).add(path.resolve())
    empty = []
    for project, files in reports.items():
        if files:
            message(f"{project}: reports: {len(files)}")
            counted += read_project(project, sorted(files), message=message)
        else:
            empty.append(f"{project} is left out: it has no reports")
    if not counted:
        raise InputError(f"{', '.join(map(str, paths))}: no reports there; run the vendor's tools first")
    learned = learn(counted)
    return replace(learned, left_out=(*learned.left_out, *empty))

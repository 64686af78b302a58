"""The vendor's tools on a project: its reports where they are there, else the tools that write them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from nas_fpga._process import ToolFailedError, run
from nas_fpga.errors import InputError
from nas_fpga.hardware._csynth_report import CSynthReport
from nas_fpga.hardware._reports import Report, read_report
from nas_fpga.hardware._vivado_report import TimingReport

VendorStage: TypeAlias = Literal["csynth", "vendor-synthesis", "place-and-route"]
VENDOR_STAGES: tuple[VendorStage, ...] = get_args(VendorStage)

_Kind: TypeAlias = Literal["vitis", "vivado", "rtl"]
_Command: TypeAlias = tuple[str, ...]

_OPTIONS = {"reset": 1, "csim": 0, "synth": 1, "cosim": 0, "validation": 0, "export": 0, "vsynth": 0, "fifo_opt": 0}
# What hls4ml's scripts read in place of arguments.
_OPTIONS_TCL = "array set opt {{\n{}\n}}\n".format("\n".join(f"  {name} {value}" for name, value in _OPTIONS.items()))
_HLS: dict[_Kind, tuple[_Command, ...]] = {
    "vitis": (("vitis-run", "--mode", "hls", "--tcl", "build_prj.tcl"), ("vitis_hls", "-f", "build_prj.tcl")),
    "vivado": (("vivado_hls", "-f", "build_prj.tcl", " ".join(f"{name}={n}" for name, n in _OPTIONS.items())),),
}
_VIVADO = ("vivado", "-mode", "batch", "-source")
_RECORD, _CONFIG = "design.json", "hls4ml_config.yml"
_ROUNDING_NS = 0.0051  # C synthesis writes hundredths: 3.13 of 3.125


@dataclass(frozen=True)
class _Project:
    """A folder with the sources and scripts of one design.

    Attributes:
        root: Where its scripts are.
        kind: What it was written for.
        top: Its top function; of RTL empty.
    """

    root: Path
    kind: _Kind
    top: str = ""

    def files(self, stage: VendorStage) -> tuple[tuple[Path, ...], ...]:
        """Return what a stage writes: for each report the files that it may be in; nothing where it has no stage."""
        out = self.root / ("vivado" if self.kind == "rtl" else "implement")
        if stage == "place-and-route":
            return (out / "utilization.rpt",), (out / "timing.rpt",)
        if stage == "vendor-synthesis":
            return ((out / "utilization_synth.rpt" if self.kind == "rtl" else self.root / "vivado_synth.rpt",),)
        if self.kind == "rtl":
            return ()
        folder = self.root / f"{self.top}_prj" / "solution1" / "syn" / "report"
        names = (f"{self.top}_csynth.xml", "csynth.xml", f"{self.top}_csynth.rpt")
        return (tuple(folder / name for name in names),)

    def reports(self, stage: VendorStage) -> list[Path]:
        """Return the reports of a stage that are there."""
        found = (next((path for path in files if path.is_file()), None) for files in self.files(stage))
        return [path for path in found if path is not None]

    def log(self, stage: VendorStage) -> Path:
        """Return the file that keeps what the tools say."""
        return self.root / f"{stage}.log"


def vendor_reports(folder: Path, stage: VendorStage, *, message: Callable[[str], None]) -> tuple[Report, ...]:
    """Return the reports of a stage of a project; where they are not there the tools run, for minutes to hours.

    Args:
        folder: Of an hls4ml project for Vitis or Vivado, or one that ``nas-fpga export`` wrote. Of a design in both
            HLS and RTL all but `csynth` is of the RTL, unless the HLS alone has the reports.
        stage: `csynth`: the report of C synthesis. `vendor-synthesis`: the utilization after Vivado's logic synthesis.
            `place-and-route`: utilization and timing.
        message: Told what runs, where its log is, and every ten seconds for how long.

    Raises:
        InputError: It is no such project, has no such stage, or holds no reports and the tool is not on PATH.
        ToolFailedError: A tool failed, or did not write the report.
    """
    project = _project(folder, stage)
    files = project.files(stage)
    if not files:
        raise InputError(f"--stage {stage} is of HLS; {folder} is RTL, take vendor-synthesis or place-and-route")
    if len(project.reports(stage)) < len(files):
        commands = [_found(project, stage, step) for step in _steps(project, stage)]
        for command in commands:
            what = f"{stage} of {folder.name} by {command[0]}"
            message(f"{what}; its log is {project.log(stage)}")
            if project.kind == "vitis" and "build_prj.tcl" in command:
                (project.root / "build_opt.tcl").write_text(_OPTIONS_TCL, encoding="utf-8")
            run(command, project.root, what, message=message, log=project.log(stage))
    reports = project.reports(stage)
    if len(reports) < len(files):
        raise ToolFailedError(f"{stage} of {folder} wrote no {_missing(project, stage)}; see {project.log(stage)}")
    return tuple(read_report(path, stage=stage) for path in reports)


def vendor_clock_ns(folder: Path, stage: VendorStage, *, message: Callable[[str], None]) -> float | None:
    """Return the clock period that the reports of a stage are for, else that of the project; None where neither says.

    Reports round it: where it is that of the project, the project has the digits.

    Args:
        folder: See :func:`vendor_reports`.
        stage: See there.
        message: See there.

    Raises:
        InputError: See there; or the project's record is damaged.
        ToolFailedError: See there.
    """
    of_project = project_clock_ns(folder)
    for report in vendor_reports(folder, stage, message=message):
        if isinstance(report, CSynthReport | TimingReport):
            asked = report.target_clock_ns if isinstance(report, CSynthReport) else report.requested_period_ns
            if of_project is None or abs(asked.value - of_project) > _ROUNDING_NS:
                return asked.value
    return of_project


def project_clock_ns(folder: Path) -> float | None:
    """Return the clock period that a project of ``nas-fpga export`` or hls4ml was made for; None where it says none.

    Raises:
        InputError: Its record is damaged.
    """
    record, config = folder / _RECORD, folder / _CONFIG
    if record.is_file():
        try:
            return float(json.loads(record.read_text(encoding="utf-8"))["clock_ns"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{record} is damaged ({error}); export the project again") from error
    if not config.is_file():
        return None
    text = config.read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^ClockPeriod:\s*([\d.]+)", text, re.MULTILINE)
    return None if found is None else float(found[1])


def _project(folder: Path, stage: VendorStage) -> _Project:
    """Return the project in a folder that a stage is of; of several the first with its reports, else the first."""
    found = []
    if (folder / "rtl" / "vivado_ooc.tcl").is_file():
        found.append(_Project(folder / "rtl", "rtl"))
    if not found or (folder / "hls" / "project.tcl").is_file():
        found.append(_hls_project(folder))
    able = [project for project in found if project.files(stage)] or found
    return next((one for one in able if len(one.reports(stage)) == len(one.files(stage))), able[0])


def _hls_project(folder: Path) -> _Project:
    root = folder / "hls" if (folder / "hls").is_dir() else folder
    script = root / "project.tcl"
    if not script.is_file() or not (root / "build_prj.tcl").is_file():
        raise InputError(f"{folder} has no project.tcl and build_prj.tcl; give an hls4ml project for Vitis or Vivado")
    text = script.read_text(encoding="utf-8", errors="replace")
    top, backend = (re.search(rf'^set {name} "([^"]+)"', text, re.MULTILINE) for name in ("project_name", "backend"))
    kind = backend[1].lower() if backend else ""
    if top is None or not kind.startswith(("vitis", "vivado")):
        raise InputError(f"{script} names no project of Vitis or Vivado; convert the model again for one of them")
    return _Project(root, "vitis" if kind.startswith("vitis") else "vivado", top[1])


def _steps(project: _Project, stage: VendorStage) -> list[tuple[_Command, ...]]:
    """Return the steps that lead to a stage: for each the commands that do it, the best first."""
    if project.kind == "rtl":
        return [((*_VIVADO, "vivado_ooc.tcl"),)]
    steps = [] if project.reports("csynth") else [_HLS[project.kind]]
    if stage != "csynth":
        script = "vivado_synth.tcl" if stage == "vendor-synthesis" else "implement.tcl"
        if not (project.root / script).is_file():
            raise InputError(f"--stage {stage}: {project.root} has no {script}; nas-fpga export writes one")
        steps.append(((*_VIVADO, script),))
    return steps


def _found(project: _Project, stage: VendorStage, step: tuple[_Command, ...]) -> _Command:
    """Return the first command whose tool is on PATH."""
    for command in step:
        if shutil.which(command[0]):
            return command
    tools = " or ".join(command[0] for command in step)
    raise InputError(
        f"--stage {stage}: {project.root} has no {_missing(project, stage)}, and {tools} is not on PATH; source the "
        "settings64.sh of the tool, or give a project that has the report"
    )


def _missing(project: _Project, stage: VendorStage) -> Path:
    """Return the first report that is not there."""
    found = project.reports(stage)
    files = next(files for files in project.files(stage) if not set(files) & set(found))
    return files[0].relative_to(project.root)

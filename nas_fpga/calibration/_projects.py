"""Folders of projects: the reports in them, and what the laws and the adder graph say of their networks."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from nas_fpga.errors import InputError
from nas_fpga.hardware import (
    RESOURCES,
    STRATEGIES,
    DesignCost,
    ReportedResources,
    Resource,
    Stage,
    StageCounts,
    Strategy,
    TimingReport,
    counts_resources,
    project_clock_ns,
    read_report,
)

_RECORD, _CONFIG, _NETWORK, _RTL = "design.json", "hls4ml_config.yml", "network.npz", "rtl"
_SUFFIXES = (".rpt", ".xml")


def projects_in(folder: Path) -> list[Path]:
    """Return the folders of projects in a folder, itself among them; one inside another belongs to that."""
    if _is_project(folder):
        return [folder.resolve()]
    inside = sorted(path for path in folder.iterdir() if path.is_dir())
    return [project for path in inside for project in projects_in(path)]


def project_of(report: Path) -> Path:
    """Return the folder of the project that a report lies in.

    Raises:
        InputError: It lies in none, so that nothing says how the design was mapped.
    """
    found = [folder for folder in report.resolve().parents if _is_project(folder)]
    if not found:
        raise InputError(
            f"{report} lies in no project of nas-fpga export or hls4ml, so its strategy is not known; put it into its "
            "project, or its figures into a CSV table"
        )
    return found[-1]  # the outermost: an export has the project of hls4ml inside


def reports_in(project: Path) -> list[Path]:
    """Return the reports in a project that count resources; hidden folders are the tools' own."""
    return [
        path
        for path in sorted(project.rglob("*"))
        if path.suffix in _SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(project).parts)
        and counts_resources(path)
    ]


def read_project(project: Path, reports: Sequence[Path], *, message: Callable[[str], None]) -> list[StageCounts]:
    """Return what each stage counts of a project: reports, the adder graph, and the laws (stage `estimate`).

    RTL of the adder graph, under ``rtl/``, is a design of its own beside the one that HLS makes.

    Args:
        project: Its folder.
        reports: Those that count.
        message: Told what is not known of it.

    Raises:
        InputError: A report is damaged, or the project has no strategy that is known.
    """
    network = project / _NETWORK
    group = hashlib.sha256(network.read_bytes()).hexdigest() if network.is_file() else str(project)
    of_rtl = [path for path in reports if path.is_relative_to(project / _RTL)]
    found = []
    for name, files in (
        (f"{project}/{_RTL}", of_rtl),
        (str(project), [path for path in reports if path not in of_rtl]),
    ):
        stages = _by_stage(files)
        if not stages:
            continue
        strategy: Strategy = "distributed_arithmetic" if files is of_rtl else _strategy(project)
        for stage, counts in (stages | _estimated(project, strategy, message)).items():
            found.append(StageCounts(name, group, strategy, stage, counts))
    return found


def _is_project(folder: Path) -> bool:
    return (folder / _RECORD).is_file() or (folder / _CONFIG).is_file()


def _by_stage(reports: Iterable[Path]) -> dict[Stage, dict[Resource, float]]:
    """Return what each stage counts; of several reports of a stage that with the most LUTs, as others are of parts."""
    whole: dict[Stage, tuple[Path, ReportedResources]] = {}
    for path in reports:
        report = read_report(path)
        if isinstance(report, TimingReport):
            continue
        stage = report.used.lut.stage
        if stage not in whole or report.used.lut.value > whole[stage][1].lut.value:
            whole[stage] = path, report.used
    for path, used in whole.values():
        for figure in (used.lut, used.ff):
            if figure.value <= 0:
                raise InputError(f"{path} counts no {figure.unit}: it is of no network; leave it out")
    return {stage: {name: float(getattr(used, name).value) for name in RESOURCES} for stage, (_, used) in whole.items()}


def _strategy(project: Path) -> Strategy:
    """Return the strategy that a project says.

    Raises:
        InputError: None that is known, or several.
    """
    if (project / _RECORD).is_file():
        try:
            said = {str(json.loads((project / _RECORD).read_text(encoding="utf-8"))["mapping"]["strategy"])}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{project / _RECORD} is damaged ({error}); export the project again") from error
    else:
        config = (project / _CONFIG).read_text(encoding="utf-8", errors="replace")
        said = {text.lower() for text in re.findall(r"^\s*Strategy:\s*'?(\w+)", config, re.MULTILINE)}
    known = [strategy for strategy in STRATEGIES if said == {strategy}]
    if not known:
        raise InputError(
            f"{project} has strategy {', '.join(sorted(said)) or 'none'}; its layers must all have one of "
            f"{', '.join(STRATEGIES)}"
        )
    return known[0]


def _clock_ns(project: Path) -> float:
    """Return the clock period that a project was made for, on which the laws depend.

    Raises:
        InputError: It says none, or its record is damaged.
    """
    found = project_clock_ns(project)
    if found is None:
        raise InputError(f"{project / _CONFIG} has no ClockPeriod")
    return found


def _estimated(project: Path, strategy: Strategy, message: Callable[[str], None]) -> dict[Stage, dict[Resource, float]]:
    """Return what the laws say of a project's network, and what its adder graph counts; nothing if it is unreadable."""
    from nas_fpga.estimation import estimate

    def cost(stage: Stage) -> DesignCost:
        asked = None if strategy == "resource" else strategy  # with the reuse factors of the project
        found = estimate(project, strategy=asked, stage=stage, clock_ns=_clock_ns(project), message=message).cost
        if found.mapping.strategy != strategy:
            raise InputError(f"its reuse factors are not known, so it was mapped as {found.mapping}")
        return found

    try:
        by_law = cost("estimate").figures
        counts: dict[Stage, dict[Resource, float]] = {
            "estimate": {name: getattr(by_law, name).value for name in RESOURCES}
        }
        if strategy == "distributed_arithmetic":
            by_graph = cost("adder-graph").figures
            originals = {name: getattr(by_graph, name).original for name in RESOURCES}
            counts["adder-graph"] = {name: each[0] for name, each in originals.items() if each is not None}
    except InputError as error:
        message(f"{project}: its reports count, but not the estimate of its network ({error})")
        return {}
    return counts

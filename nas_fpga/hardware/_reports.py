"""Reads reports of the vendor's tools that people already have, as figures with unit and stage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeAlias

from nas_fpga.errors import InputError
from nas_fpga.hardware._csynth_report import CSynthReport, read_csynth_text, read_csynth_xml
from nas_fpga.hardware._figures import Stage
from nas_fpga.hardware._vivado_report import TimingReport, UtilizationReport, read_timing, read_utilization

Report: TypeAlias = CSynthReport | UtilizationReport | TimingReport

# What is in a report of each kind, and in none of another; and what is in those alone that count a design's resources:
# schedules of C synthesis, summaries of what was exported and hierarchies of cells begin as they do.
_READERS = (
    (r"\A\s*(<\?xml[^>]*>\s*)?<profile>", r"^<UserAssignments>", read_csynth_xml),
    (r"^== \w+ HLS Report for '", r"^== Utilization Estimates", read_csynth_text),
    (r"^Utilization Design Information$", r"^\| +Site Type ", read_utilization),
    (r"^Timing Summary Report$", None, read_timing),
)
_KNOWN = (
    "known are csynth.xml and NAME_csynth.rpt of Vivado HLS and Vitis HLS, "
    "and report_utilization and report_timing_summary of Vivado"
)


def counts_resources(path: Path) -> bool:
    """Return whether a file is a report of C synthesis or `report_utilization` that counts resources, cut or not."""
    text = path.read_text(encoding="utf-8-sig", errors="replace").replace("\r\n", "\n")
    return any(
        counts is not None and re.search(mark, text, re.MULTILINE) and re.search(counts, text, re.MULTILINE)
        for mark, counts, _ in _READERS
    )


def read_report(path: Path | str, *, stage: Stage | None = None) -> Report:
    """Read a report of the vendor's tools. Its kind is known by what is in it, whatever it is called.

    Args:
        path: Its file.
        stage: What its figures are of, for a timing summary that does not say so (Vivado 2020 and before). A report
            that says otherwise is refused.

    Returns:
        Figures whose interval is their value and whose source names tool, version and file.

    Raises:
        InputError: It cannot be read, is of no known kind, or lacks something that reports of its kind have: nothing is
            ever counted as 0 because it is missing. One line that names the file, what is missing and the cure.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give the file of a report: {_KNOWN}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not in UTF-8; save it so if it is a report: {_KNOWN}") from error
    for mark, _, reader in _READERS:
        if re.search(mark, text, re.MULTILINE):
            return reader(path, text, stage)
    raise InputError(f"{path} is {'no report that is known' if text.strip() else 'empty'}: {_KNOWN}")

"""The report of a study: one page that works offline, and its plots for notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects

    from nas_fpga.comparison import Comparison, Sweep
    from nas_fpga.explanation import Findings
    from nas_fpga.study import StudyOutcome


def write_report(outcome: StudyOutcome, path: Path | str) -> None:
    """Write the report of a study: one HTML file that needs nothing else; ``front.png`` and ``front.csv`` beside it.

    Each file is written in one step: it is whole or as it was before.

    Args:
        outcome: Of the study.
        path: The HTML file.

    Raises:
        StudyError: The study's storage or a checkpoint cannot be read.
        OSError: A file cannot be written.
    """
    from nas_fpga.report._write import write

    write(outcome, Path(path))


def write_comparison(comparison: Comparison, path: Path | str) -> None:
    """Write the page of a comparison, one HTML file; ``comparison.csv``, ``.png`` and, of topologies, maps beside it.

    Args:
        comparison: Of several methods.
        path: The HTML file.

    Raises:
        OSError: A file cannot be written.
    """
    from nas_fpga.report._comparison import write

    write(comparison, Path(path))


def write_sweep(sweep: Sweep, path: Path | str) -> None:
    """Write the page of a sweep, one HTML file; ``sweep.csv`` and ``sweep.png`` beside it.

    Args:
        sweep: Of several budgets.
        path: The HTML file.

    Raises:
        OSError: A file cannot be written.
    """
    from nas_fpga.report._sweep import write

    write(sweep, Path(path))


def plot_front(outcome: StudyOutcome) -> plotly.graph_objects.Figure:
    """Return the plot of the front: figure of merit against resources, with buttons for LUT, DSP and latency.

    Bars are paired standard errors: of the difference to the most precise network over the same resamples. `best` is
    the cheapest whose bar reaches the dotted line of the most precise.

    Args:
        outcome: Of a study.
    """
    from nas_fpga.report._write import interactive_front

    return interactive_front(outcome)


def write_findings(findings: Findings, folder: Path | str) -> tuple[Path, ...]:
    """Write what mattered as ``explain.png`` and ``explain.csv``, and return their paths.

    There is no picture where nothing can be concluded.

    Args:
        findings: Of a study or a table of candidates.
        folder: Where they go.

    Raises:
        OSError: A file cannot be written.
    """
    from nas_fpga.report._write import write_findings

    return write_findings(findings, Path(folder))


__all__ = ["plot_front", "write_comparison", "write_findings", "write_report", "write_sweep"]

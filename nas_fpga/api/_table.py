"""The table of a front that people read, as cells of text."""

from __future__ import annotations

from nas_fpga.study import FrontRow, StudyOutcome

TEXT_COLUMNS = ("point", "network", "training", "mapping")
"""Columns of words; all others hold numbers."""


def front_cells(outcome: StudyOutcome, row: FrontRow) -> dict[str, str]:
    """Return a row of the table by its headings; the point in front ends with a star where it is the best.

    The training settings that are searched are those of trials; a polished point has none of them.
    """
    figures, lut = row.point.mapped.figures, row.point.mapped.figures.lut
    objective = outcome.setup.target.objective
    training = outcome.setup.definition.searched.shown(row.trial.candidate.settings)
    return {
        "point": f"{row.point.name}{'*' if row.is_best else ''}",
        "network": row.trial.name_of(row.point),
        **({"training": "" if row.point.polished else ", ".join(training.values())} if training else {}),
        "mapping": str(row.point.mapped.mapping),
        "validation": f"{row.point.error:.4f}",
        "corrected": f"{row.selection_corrected:.4f}",
        "test [95 %]": f"{row.test.error:.4f} [{row.test_interval[0]:.4f}, {row.test_interval[1]:.4f}]",
        "precision": f"{row.test.precision:.4f}",
        "P(front)": f"{row.probability_undominated:.2f}",
        "LUT": f"{lut.value:,.0f}",
        "[90 %]": f"[{lut.low:,.0f}, {lut.high:,.0f}]",
        "DSP": f"{figures.dsp.value:,.0f}",
        "ns": f"{figures.latency_ns.value:,.0f}",
        "copies": str(figures.copies),
        "share" if objective == "share" else f"{objective} share": f"{row.share:.2%}",
    }


def training_note(outcome: StudyOutcome) -> str:
    """Return what the column of training settings holds; empty where none are searched."""
    training = outcome.setup.definition.searched
    return f"training: {', '.join(name.replace('_', ' ') for name in training.names)}" if training.names else ""

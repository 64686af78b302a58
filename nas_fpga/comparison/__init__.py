"""Several searches side by side: methods compared on the same work, and one search for each of several budgets."""

from nas_fpga.comparison._curves import (
    LEAST_RATIO,
    Band,
    Trace,
    VarianceRatio,
    first_at_least,
    first_at_most,
    kept,
    over_seconds,
    over_trials,
    trace_of,
    variance_ratio,
)
from nas_fpga.comparison._definition import PRESETS, ComparisonDefinition
from nas_fpga.comparison._outcome import Comparison, Method, Retrained
from nas_fpga.comparison._run import ComparisonRun
from nas_fpga.comparison._saved import existing, new
from nas_fpga.comparison._studies import EndedStudy, PlannedStudy, StudyRunner
from nas_fpga.comparison._sweep import BudgetResult, Sweep, SweepDefinition, SweepRun
from nas_fpga.comparison._sweep_words import sweep_cells, sweep_words
from nas_fpga.comparison._words import comparison_cells, comparison_words, ratio_cell, reaches_cells, verdict

__all__ = [
    "LEAST_RATIO",
    "PRESETS",
    "Band",
    "BudgetResult",
    "Comparison",
    "ComparisonDefinition",
    "ComparisonRun",
    "EndedStudy",
    "Method",
    "PlannedStudy",
    "Retrained",
    "StudyRunner",
    "Sweep",
    "SweepDefinition",
    "SweepRun",
    "Trace",
    "VarianceRatio",
    "comparison_cells",
    "comparison_words",
    "existing",
    "first_at_least",
    "first_at_most",
    "kept",
    "new",
    "over_seconds",
    "over_trials",
    "ratio_cell",
    "reaches_cells",
    "sweep_cells",
    "sweep_words",
    "trace_of",
    "variance_ratio",
    "verdict",
]

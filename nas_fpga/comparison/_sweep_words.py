"""A sweep in a table and a few sentences, for the terminal and the page alike."""

from __future__ import annotations

from nas_fpga.comparison._sweep import BudgetResult, Sweep


def sweep_cells(sweep: Sweep) -> list[dict[str, str]]:
    """Return one row of texts for each budget."""
    return [_row(result) for result in sweep.results]


def _row(result: BudgetResult) -> dict[str, str]:
    row, figures = result.row, result.row.point.mapped.figures
    copies = figures.copies
    low, high = row.interval
    test_low, test_high = row.test_interval
    return {
        "budget": f"{result.budget:,}",
        "network": row.trial.name_of(row.point),
        "neurons used": f"{result.n_used:,}",
        "found at": f"{result.found_at:,}",
        "validation [95 %]": f"{row.point.error:.4f} [{low:.4f}, {high:.4f}]",
        "test [95 %]": f"{row.test.error:.4f} [{test_low:.4f}, {test_high:.4f}]",
        "precision": f"{row.test.precision:.4f}",
        "LUT [90 %]": f"{result.luts:,.0f} [{copies * figures.lut.low:,.0f}, {copies * figures.lut.high:,.0f}]",
        "DSP": f"{figures.total('dsp'):,.0f}",
        "ns": f"{figures.latency_ns.value:,.0f}",
    }


def sweep_words(sweep: Sweep) -> list[str]:
    """Return what was swept, and what the table says: the first is its heading."""
    setup, base = sweep.setup, sweep.definition.base
    n = sum(len(study.trials) for study in sweep.studies)
    limits = "no hardware limits" if setup.target.unlimited else f"limits of {setup.target.part.name}"
    stage = sweep.results[-1].row.point.mapped.figures.lut.stage
    return [
        f"{setup.dataset.name}: the most precise network of each budget of neurons, in at most {base.max_layers} "
        f"layers, {limits}; {n:,} trials",
        f"validation, test: {setup.merit_name}; the most precise is that of least error on validation, "
        "of this budget's search and those of all smaller ones (found at); precision: 1 - test; "
        f"LUT, DSP: all copies, at {stage}",
        *(f"{study.name}, {said}" for study in sweep.studies if (said := study.setup.sampler.describe())),
    ]

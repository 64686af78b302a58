"""Puts the page of a comparison together and writes its files."""

from __future__ import annotations

from html import escape
from pathlib import Path

from nas_fpga._files import in_one_step, write_whole
from nas_fpga.comparison import (
    LEAST_RATIO,
    Comparison,
    comparison_cells,
    comparison_words,
    ratio_cell,
    reaches_cells,
    verdict,
)
from nas_fpga.report._comparison_figures import has_maps, map_figure, progress_figure, quantities
from nas_fpga.report._comparison_png import save_maps, save_progress
from nas_fpga.report._figure import Figure
from nas_fpga.report._shell import Section, cards, document, download, figure_place, grid, how, lede, notice
from nas_fpga.report._tables import Cell, comparison_fields, table

_TEXT = ("method", "reaches")


def write(comparison: Comparison, path: Path) -> None:
    """See :func:`nas_fpga.report.write_comparison`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    in_one_step(path.with_name("comparison.png"), lambda file: save_progress(comparison, file))
    if has_maps(comparison):
        in_one_step(path.with_name("maps.png"), lambda file: save_maps(comparison, file))
    write_whole(path.with_name("comparison.csv"), comparison.csv())
    write_whole(path, page(comparison))


def page(comparison: Comparison) -> str:
    """Return the whole page."""
    figures: list[Figure] = []
    setup = comparison.setup
    n = sum(len(study.trials) for method in comparison.methods for study in method.studies)
    searches = sum(len(method.studies) for method in comparison.methods)
    top = lede(
        f"{len(comparison.methods)} methods searched the same space, with the same rows and limits: "
        f"{searches} searches, {n:,} trainings."
    )
    if said := verdict(comparison):
        top += (how if comparison.is_conclusive else notice)(f"{said}.")
    if setup.target.unlimited:
        top += notice("No hardware limits: whatever a network takes on the part, nothing was refused.")
    name = comparison.folder.name
    sections: list[Section] = [
        ("progress", "What each method had", _progress(comparison, figures)),
        ("table", "In figures", _table(comparison)),
    ]
    if has_maps(comparison):
        sections.append(("maps", "Where they looked", _maps(comparison, figures)))
    sections.append(("repeat", "What was compared", comparison_fields(comparison)))
    return document(
        title=f"{name}: nas-fpga comparison",
        eyebrow=f"nas-fpga report \N{MIDDLE DOT} comparison {name}",
        heading=f"{setup.dataset.name}: {', '.join(method.name for method in comparison.methods)} on the same work",
        top=top + _cards(comparison),
        sections=sections,
        figures=figures,
    )


def _cards(comparison: Comparison) -> str:
    """Return one card for the best median, and in the reference work's comparison one for the target."""
    best = min(comparison.methods, key=lambda method: method.best.median[-1])
    found = [
        (
            "Lowest median error",
            best.name,
            f"{best.best.median[-1]:.4f} after {len(best.best.at)} trials; precision {1 - best.best.median[-1]:.4f}",
        )
    ]
    if not comparison.by_precision:
        widest = max(comparison.methods, key=lambda method: method.hypervolume.median[-1])
        value = widest.hypervolume.median[-1]
        found.append(("Largest median hypervolume", widest.name, f"{value:.4f} after {len(widest.best.at)} trials"))
    if comparison.target is not None:
        reached = {
            method.name: comparison.reaching_target(method) for method in comparison.methods if method.name != "grid"
        }
        texts = [f"{name} after {n} trials" if n else f"{name} not" for name, n in reached.items()]
        found.append(("The grid's winner, trained again", f"{comparison.target:.4f}", f"reached: {', '.join(texts)}"))
    if comparison.log_noise is not None:
        of = f"of log10 of the error, on points of the grid; a comparison takes {LEAST_RATIO:g}"
        found.append(("Variance between points over noise", ratio_cell(comparison.log_noise), of))
    return cards(found)


def _progress(comparison: Comparison, figures: list[Figure]) -> str:
    caption = (
        "Lines are medians over seeds, areas reach from the lower to the upper quartile. Time is what the epochs that "
        "ran are expected to take on one core, one trial after the other. What else the machine did plays no part, and "
        "the time that a method takes to propose is left out."
    )
    return grid([figure_place(progress_figure(comparison, each), caption, figures) for each in quantities(comparison)])


def _table(comparison: Comparison) -> str:
    both = (("Methods", comparison_cells(comparison)), ("Reaches", reaches_cells(comparison)))
    tables = "".join(table(label, [_cells(row) for row in rows], sortable=True) for label, rows in both if rows)
    words = "".join(f"<p class='how'>{escape(text)}.</p>" for text in comparison_words(comparison)[1:])
    all_trials = download("comparison.csv", comparison.csv(), "every trial of every search")
    return tables + words + all_trials


def _cells(row: dict[str, str]) -> dict[str, Cell]:
    return {name: Cell(text, is_text=name in _TEXT) for name, text in row.items()}


def _maps(comparison: Comparison, figures: list[Figure]) -> str:
    remark = how(
        "The first search of each method. A mark is a network at the widths of its first two layers; its area is the "
        "width of the third, its colour the precision, on one scale for all. The star is the most precise."
    )
    return remark + grid([figure_place(map_figure(comparison, method), "", figures) for method in comparison.methods])

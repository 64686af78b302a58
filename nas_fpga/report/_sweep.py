"""The page of a sweep, its plots and its files."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from nas_fpga._files import in_one_step, write_whole
from nas_fpga.comparison import BudgetResult, Sweep, kept, sweep_cells, sweep_words
from nas_fpga.report._figure import Figure
from nas_fpga.report._shell import Section, cards, document, download, figure_place, lede
from nas_fpga.report._tables import Cell, sweep_fields, table
from nas_fpga.report._theme import LEAST_ERROR, LIGHT, axis, label_log, layout, log_ticks, style_of

_TEXT = ("network",)
_Value = Callable[[BudgetResult], float]


def write(sweep: Sweep, path: Path) -> None:
    """See :func:`nas_fpga.report.write_sweep`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    in_one_step(path.with_name("sweep.png"), lambda file: save_png(sweep, file))
    write_whole(path.with_name("sweep.csv"), sweep.csv())
    write_whole(path, page(sweep))


def page(sweep: Sweep) -> str:
    """Return the whole page."""
    setup, last = sweep.setup, sweep.results[-1]
    figures = [neurons_figure(sweep), luts_figure(sweep)]
    captions = (
        "Each mark is the most precise network of a budget, by validation: once at the neurons it might have had, once "
        "at those it has. Bars are 95 % intervals on validation, over resampled groups. Dots are all networks that were"
        " trained.",
        "The same networks over the LUTs of all copies: by adder graphs where a front depends on them, else by laws.",
    )
    places: list[Figure] = []
    plots = "".join(figure_place(figure, caption, places) for figure, caption in zip(figures, captions, strict=True))
    rows = [{name: Cell(text, is_text=name in _TEXT) for name, text in row.items()} for row in sweep_cells(sweep)]
    words = "".join(f"<p class='how'>{escape(text)}.</p>" for text in sweep_words(sweep)[1:])
    in_figures = table("Budgets", rows, sortable=True) + words
    in_figures += download("sweep.csv", sweep.csv(), "all figures of the network of every budget")
    n = sum(len(study.trials) for study in sweep.studies)
    name = sweep.folder.name
    sections: list[Section] = [
        ("neurons", "Precision against size", plots),
        ("table", "In figures", in_figures),
        ("repeat", "What was swept", sweep_fields(sweep)),
    ]
    return document(
        title=f"{name}: nas-fpga sweep",
        eyebrow=f"nas-fpga report \N{MIDDLE DOT} sweep {name}",
        heading=f"{setup.dataset.name}: how precise can {sweep.results[0].budget:,} to {last.budget:,} neurons be?",
        top=lede(
            f"{len(sweep.studies)} searches, one for each budget of hidden neurons, {n:,} trainings; each knew what "
            "the smaller budgets had learned."
        )
        + _cards(sweep),
        sections=sections,
        figures=places,
    )


def _cards(sweep: Sweep) -> str:
    best = min(sweep.results, key=lambda result: result.row.point.error)
    low, high = best.row.test_interval
    return cards(
        [
            (
                "The most precise of all",
                best.row.trial.name_of(best.row.point),
                f"{best.n_used:,} neurons used of {best.budget:,}; {best.luts:,.0f} LUT in all copies",
            ),
            (
                f"Its {sweep.setup.merit_name}",
                f"{best.row.test.error:.4f}",
                f"test [{low:.4f}, {high:.4f}]; precision {best.row.test.precision:.4f}; {best.row.point.error:.4f} on "
                "validation",
            ),
        ]
    )


def neurons_figure(sweep: Sweep) -> Figure:
    """Draw the most precise networks against the neurons that they might have and have."""
    available = _series(sweep, "neurons available", 0, lambda result: result.budget)
    used = _series(sweep, "neurons used", 1, lambda result: result.n_used)
    traces = (_cloud(sweep, _neurons), available, used)
    return _figure(sweep, "sweep-neurons", "Error against neurons", "hidden neurons", traces)


def luts_figure(sweep: Sweep) -> Figure:
    """Draw the most precise networks against their LUTs."""
    line = _series(sweep, "most precise of each budget", 2, lambda result: max(result.luts, 1.0))
    traces = (_cloud(sweep, _luts), line)
    return _figure(sweep, "sweep-luts", "Error against LUTs", "LUT, all copies", traces)


def _figure(sweep: Sweep, name: str, title: str, across: str, traces: tuple[dict[str, Any], ...]) -> Figure:
    low, high = error_range(sweep)
    x = [value for trace in traces for value in trace["x"]]
    margin = max((max(x) / min(x)) ** 0.04, 1.05)
    left, right = min(x) / margin, max(x) * margin
    return Figure(
        name=name,
        title=title,
        label=f"{sweep.setup.merit_name} of the most precise network of each budget against {across}",
        data=traces,
        layout=layout(
            axis(across, type="log", range=np.log10([left, right]).tolist(), **log_ticks(left, right)),
            axis(sweep.setup.merit_name, type="log", range=np.log10([low, high]).tolist(), **log_ticks(low, high)),
            430,
        ),
    )


def error_range(sweep: Sweep) -> tuple[float, float]:
    """Return the ends of the axis of errors: all results with their intervals, and most of what was trained."""
    ends = [end for result in sweep.results for end in (*result.row.interval, result.row.point.error)]
    if errors := _trained(sweep, _neurons)[1]:  # none where only polished networks keep the limits
        ends.append(float(np.quantile(errors, 0.9)))
    low, high = max(min(ends), LEAST_ERROR), max(*ends, 10 * LEAST_ERROR)
    return low * 0.93, high * 1.07


def _series(sweep: Sweep, name: str, index: int, value: _Value) -> dict[str, Any]:
    style = style_of(index)
    errors = [max(result.row.point.error, LEAST_ERROR) for result in sweep.results]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [value(result) for result in sweep.results],
        "y": errors,
        "line": {"color": style.colour, "dash": style.dash, "width": 1.8},
        "marker": {"color": style.colour, "symbol": style.symbol, "size": 9},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [max(r.row.interval[1] - e, 0) for r, e in zip(sweep.results, errors, strict=True)],
            "arrayminus": [
                max(e - max(r.row.interval[0], LEAST_ERROR), 0) for r, e in zip(sweep.results, errors, strict=True)
            ],
            "color": style.colour,
            "thickness": 1.1,
            "width": 3,
        },
        "hoverinfo": "text",
        "hovertext": [
            f"<b>{result.row.trial.name_of(result.row.point)}</b><br>budget {result.budget:,}, uses {result.n_used:,}"
            f"<br>validation {result.row.point.error:.4f}, test {result.row.test.error:.4f}<br>{result.luts:,.0f} LUT"
            for result in sweep.results
        ],
    }


def _trained(sweep: Sweep, value: Callable[[Any, Any], float]) -> tuple[list[float], list[float]]:
    """Return place and error of all networks within the limits that were trained, polished ones aside."""
    x, y = [], []
    for study in sweep.studies:
        for trial in study.trials:
            for point in kept(trial, study.setup):
                x.append(value(trial, point))
                y.append(max(point.error, LEAST_ERROR))
    return x, y


def _neurons(trial: Any, point: Any) -> float:
    return float(sum(trial.topology_of(point)))


def _luts(_: Any, point: Any) -> float:
    return float(max(point.mapped.figures.total("lut"), 1.0))


def _cloud(sweep: Sweep, value: Callable[[Any, Any], float]) -> dict[str, Any]:
    x, y = _trained(sweep, value)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "all networks",
        "x": x,
        "y": y,
        "marker": {"color": "@faint", "size": 4},
        "hoverinfo": "skip",
    }


def save_png(sweep: Sweep, path: Path) -> None:
    """Draw both plots and write them to ``path``, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Picture
    from matplotlib.ticker import FuncFormatter, NullFormatter

    picture = Picture(figsize=(9, 4.2), layout="constrained")  # without pyplot: no state that others share
    FigureCanvasAgg(picture)
    left, right = picture.subplots(1, 2, sharey=True)
    errors = np.array([max(result.row.point.error, LEAST_ERROR) for result in sweep.results])
    ends = np.array([result.row.interval for result in sweep.results])
    bars = np.maximum([errors - np.maximum(ends[:, 0], LEAST_ERROR), ends[:, 1] - errors], 0)
    series: tuple[tuple[Any, str, int, _Value], ...] = (
        (left, "neurons available", 0, lambda result: result.budget),
        (left, "neurons used", 1, lambda result: result.n_used),
        (right, "most precise of each budget", 2, lambda result: max(result.luts, 1.0)),
    )
    for plot, of in ((left, _neurons), (right, _luts)):
        plot.scatter(*_trained(sweep, of), s=6, color=LIGHT["faint"], lw=0, zorder=1)
    for plot, name, index, value in series:
        style = style_of(index)
        x = [value(result) for result in sweep.results]
        plot.errorbar(x, errors, bars, fmt=("o", "s", "D")[index], ls=("-", "--", ":")[index], ms=5, lw=1.3, capsize=2,
                      elinewidth=0.9, color=LIGHT[style.colour[1:]], label=name, zorder=3)  # fmt: skip
    for plot, words in ((left, "hidden neurons"), (right, "LUT, all copies")):
        plot.set(xscale="log", yscale="log", xlabel=words)
        plot.spines[["top", "right"]].set_visible(False)
        plot.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
        plot.xaxis.set_minor_formatter(NullFormatter())
        plot.legend(frameon=False, fontsize=8.5)
    low, high = error_range(sweep)
    label_log(left.yaxis, low, high)
    left.set_ylim(low, high)  # ticks may lie beyond
    left.set_ylabel(sweep.setup.merit_name.replace("$", r"\$"))
    picture.savefig(path, dpi=120, format="png", pil_kwargs={"optimize": True})

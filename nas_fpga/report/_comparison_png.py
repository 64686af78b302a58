"""A comparison as pictures."""

from __future__ import annotations

from pathlib import Path

from nas_fpga.comparison import Band, Comparison
from nas_fpga.report._comparison_figures import (
    Quantity,
    colour_range,
    error_range,
    marker_sizes,
    places_of,
    quantities,
    target_line,
)
from nas_fpga.report._theme import LIGHT, label_log, style_of

_SECONDS = "seconds of training, without proposing\n(expected, one core)"
_DASHES = {
    "solid": "-",
    "dash": "--",
    "dot": ":",
    "dashdot": "-.",
    "longdash": (0, (8, 3)),
    "longdashdot": (0, (8, 2, 2, 2)),
}


def save_progress(comparison: Comparison, path: Path) -> None:
    """Draw what each method had after every trial and second and write it to ``path``, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    of = quantities(comparison)
    figure = Figure(
        figsize=(9, 0.5 + 3.4 * len(of)), layout="constrained"
    )  # without pyplot: no state that others share
    FigureCanvasAgg(figure)
    plots = figure.subplots(len(of), 2, squeeze=False, sharey="row")
    for quantity, (left, right) in zip(of, plots, strict=True):
        for i, method in enumerate(comparison.methods):
            _draw(left, quantity.over_trials(method), i, method.name)
            _draw(right, quantity.over_time(method), i, method.name)
        for plot, words in ((left, "trials"), (right, _SECONDS)):
            _finish(plot, comparison, quantity, words)
        left.set_ylabel(_literal(quantity.axis))
    handles, names = plots[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=4, fontsize=8.5, frameon=False)
    figure.savefig(path, dpi=120, format="png", pil_kwargs={"optimize": True})


def _draw(plot: object, band: Band, index: int, name: str) -> None:
    from matplotlib.axes import Axes

    assert isinstance(plot, Axes)
    style = style_of(index)
    colour = LIGHT[style.colour[1:]]
    plot.fill_between(band.at, band.low, band.high, step="post", color=colour, alpha=0.18, lw=0)
    plot.step(band.at, band.median, where="post", color=colour, ls=_DASHES[style.dash], lw=1.6, label=name)


def _finish(plot: object, comparison: Comparison, quantity: Quantity, words: str) -> None:
    from matplotlib.axes import Axes

    assert isinstance(plot, Axes)
    plot.spines[["top", "right"]].set_visible(False)
    plot.set_xlabel(words)
    if not quantity.is_error:
        plot.set_ylim(bottom=0)
        return
    if (target := target_line(comparison)) is not None:
        plot.axhline(target, color=LIGHT["ink"], lw=1, ls=":", label="the grid's winner, trained again")
    low, high = error_range(comparison)
    plot.set_yscale("log")
    label_log(plot.yaxis, low, high)
    plot.set_ylim(low, high)  # ticks may lie beyond


def save_maps(comparison: Comparison, path: Path) -> None:
    """Draw where each method's first search looked and write it to ``path``, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    n = len(comparison.methods)
    columns = min(n, 3)
    rows = -(-n // columns)
    figure = Figure(figsize=(0.9 + 3.7 * columns, 0.4 + 3.7 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    plots = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    ramp = LinearSegmentedColormap.from_list("precision", [LIGHT["ramp-low"], LIGHT["ramp-high"]])
    low, high = colour_range(comparison)
    drawn = None
    for plot, method in zip(plots, comparison.methods, strict=False):
        places, limit = places_of(method), method.studies[0].setup.space.width_limit
        x, y = ([place.widths[k] for place in places] for k in range(2))
        sizes = [size**2 for size in marker_sizes(places, limit, 17)]
        drawn = plot.scatter(x, y, s=sizes, c=[1 - place.error for place in places], cmap=ramp, vmin=low, vmax=high,
                             edgecolors=LIGHT["muted"], lw=0.5)  # fmt: skip
        if places:
            best = min(places, key=lambda place: place.error)
            plot.scatter(*best.widths[:2], marker="*", s=130, color=LIGHT["orange"], edgecolors=LIGHT["ink"], lw=0.7)
        plot.set_title(f"{method.name}: {len(places)} networks", fontsize=10)
        plot.set(xlabel="neurons of the first layer", ylabel="neurons of the second layer")
        plot.label_outer()
        plot.set_aspect("equal")
        plot.spines[["top", "right"]].set_visible(False)
    for plot in plots[n:]:
        plot.set_visible(False)
    if drawn is not None:
        figure.colorbar(
            drawn, ax=list(plots), label="precision; area of a mark: neurons of the third layer", shrink=0.8
        )
    figure.savefig(path, dpi=120, format="png", pil_kwargs={"optimize": True})


def _literal(text: str) -> str:
    """Return text that matplotlib does not take for a formula."""
    return text.replace("$", r"\$")

"""What mattered as a picture: parts of the variance, and how the figure of merit depends on each descriptor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nas_fpga.explanation import Dependence, Explanation, Findings
from nas_fpga.report._explain_figures import EACH
from nas_fpga.report._theme import LIGHT, label_log, percent

_MOST = 12  # panels; what matters least is left to the report
_COLUMNS = 4
_APART = 0.14


def save_png(findings: Findings, path: Path) -> None:
    """Draw the findings and write them to ``path``, as PNG.

    The panels show the error, or the resources where nothing can be concluded of that.

    Args:
        findings: From which something can be concluded.
        path: The file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    is_error = bool(findings.error.importances)
    shown = findings.error if is_error else findings.resources
    order = [one.group for one in shown.importances]
    curves = sorted(shown.dependences, key=lambda curve: order.index(curve.descriptor.group))[:_MOST]
    n_rows = -(-len(curves) // _COLUMNS)
    size = 14, 1.6 + 2.1 * max(n_rows, 2)
    figure = Figure(figsize=size, layout="constrained")  # without pyplot: no state that others share
    FigureCanvasAgg(figure)
    parts: Any = figure.subfigures(1, 2, width_ratios=(1, 2.4))
    left, right = parts
    _draw_parts(left.subplots(), findings)
    plots = right.subplots(n_rows, _COLUMNS, sharey=True, squeeze=False).ravel()
    for plot, curve in zip(plots, curves, strict=False):
        _draw_curve(plot, curve, LIGHT["blue" if is_error else "vermilion"])
    for plot in plots[len(curves) :]:
        plot.set_visible(False)
    lowest = 10 ** float(min(curve.low.min() for curve in curves))
    highest = 10 ** float(max(curve.high.max() for curve in curves))
    label_log(plots[0].yaxis, lowest, highest, "{:,.10g}".format if is_error else percent)
    right.supylabel(_literal(findings.merit if is_error else findings.resource), fontsize=9.5)
    right.suptitle("If all networks had one value, and all else their own", fontsize=10)
    figure.savefig(path, dpi=120, format="png", pil_kwargs={"optimize": True})


def _draw_parts(plot: Any, findings: Findings) -> None:
    groups = list(dict.fromkeys(one.group for of in findings.explanations for one in of.importances))
    looks = (("error", "blue", "o", -_APART), ("resources", "vermilion", "D", _APART))
    for of, (name, colour, marker, apart) in zip(findings.explanations, looks, strict=True):
        parts = [one.of_variance for one in of.importances]
        values = [part.value for part in parts]
        bars = [
            [part.value - part.low for part in parts],
            [part.high - part.value for part in parts],
        ]
        rows = [groups.index(one.group) + apart for one in of.importances]
        plot.errorbar(values, rows, xerr=bars, fmt=marker, ms=5, lw=1.3, capsize=2.5, color=LIGHT[colour],
                      label=f"{name}: {_believed(of)}")  # fmt: skip
    plot.set_yticks(range(len(groups)), groups)
    plot.set_ylim(len(groups) - 0.5, -0.5)
    plot.axvline(0, color=LIGHT["muted"], lw=0.8, zorder=0)
    plot.xaxis.set_major_formatter(lambda part, _: f"{100 * part:.0f} %")
    plot.set_xlabel("part of the variance, 95 % interval")
    plot.spines[["top", "right"]].set_visible(False)
    plot.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False, fontsize=8.5)


def _believed(of: Explanation) -> str:
    return f"R2 {of.quality.r_squared:.2f}" if of.quality is not None and not of.verdict else "no conclusion"


def _draw_curve(plot: Any, curve: Dependence, colour: str) -> None:
    from matplotlib.ticker import MaxNLocator

    of, places = curve.descriptor, curve.places
    plot.fill_between(places, 10**curve.low, 10**curve.high, color=colour, alpha=0.18, lw=0)
    plot.plot(places, 10**curve.mean, "o-", ms=3, lw=1.4, color=colour)
    plot.set_yscale("log")
    if of.logarithmic:
        plot.set_xscale("log")
        label_log(plot.xaxis, float(places[0]), float(places[-1]), most=4)
    elif of.whole and len(places) <= EACH:
        plot.set_xticks(places)
    elif of.whole:
        plot.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    plot.set_xlabel(_literal(of.label), fontsize=9)
    plot.tick_params(labelsize=8.5)
    plot.spines[["top", "right"]].set_visible(False)


def _literal(text: str) -> str:
    """Return text that matplotlib does not take for a formula."""
    return text.replace("$", r"\$")

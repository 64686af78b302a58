"""What mattered, as plots of the page: parts of the variance, dependence, rank correlations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nas_fpga.explanation import Dependence, Explanation, Findings
from nas_fpga.report._figure import Figure, View
from nas_fpga.report._theme import axis, layout, log_ticks, percent

_APART = 0.13  # of two marks in one row
EACH = 8  # values up to which every one has a tick


def importance_figure(findings: Findings) -> Figure | None:
    """Draw each group's part of the variance of error and resources; None where nothing can be concluded of either."""
    if not any(of.importances for of in findings.explanations):
        return None
    groups = list(dict.fromkeys(one.group for of in findings.explanations for one in of.importances))
    looks = (("error", "@blue", "circle", -_APART), ("resources", "@vermilion", "diamond", _APART))
    traces = []
    for of, (name, colour, symbol, apart) in zip(findings.explanations, looks, strict=True):
        parts = [one.of_variance for one in of.importances]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "showlegend": bool(parts),
                "x": [part.value for part in parts],
                "y": [groups.index(one.group) + apart for one in of.importances],
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [part.high - part.value for part in parts],
                    "arrayminus": [part.value - part.low for part in parts],
                    "color": colour,
                    "thickness": 1.4,
                    "width": 3,
                },
                "marker": {"symbol": symbol, "size": 8, "color": colour},
                "hoverinfo": "text",
                "hovertext": [f"<b>{one.group}</b><br>{name}: {one.of_variance:%}" for one in of.importances],
            }
        )
    rows = {"tickvals": list(range(len(groups))), "ticktext": groups, "range": [len(groups) - 0.5, -0.5]}
    return Figure(
        name="importance",
        title="Part of the variance",
        label="For each group of descriptors its part of the variance of error and resources, with 95 % intervals",
        data=tuple(traces),
        layout=layout(
            axis("part of the variance", tickformat=".0%", zeroline=True, zerolinecolor="@muted"),
            axis("", type="linear", ticks="", showgrid=False, **rows),
            130 + 34 * len(groups),
        ),
    )


def dependence_figures(findings: Findings) -> tuple[Figure, ...]:
    """Draw how error and resources depend on each descriptor, as far as something can be concluded."""
    return tuple(_dependence_figure(findings, of) for of in findings.explanations if of.importances)


def _dependence_figure(findings: Findings, of: Explanation) -> Figure:
    is_error = of is findings.error
    colour = "@blue" if is_error else "@vermilion"
    names = [one.group for one in of.importances]
    curves = sorted(of.dependences, key=lambda curve: names.index(curve.descriptor.group))
    views = [View(curve.descriptor.name, _band(curve, colour), {"xaxis": _across(curve)}) for curve in curves]
    lows = 10 ** float(min(curve.low.min() for curve in curves))
    highs = 10 ** float(max(curve.high.max() for curve in curves))
    form: Callable[[float], str] = "{:,.10g}".format if is_error else percent
    up = axis(
        findings.merit if is_error else findings.resource,
        type="log",
        range=np.log10([lows / 1.1, highs * 1.1]).tolist(),
        **log_ticks(lows, highs, form),
    )
    what = "error" if is_error else "resources"
    return Figure(
        name=f"dependence-{what}",
        title="Error if all networks had one value" if is_error else "Resources if all networks had one value",
        label=f"Partial dependence of the {what} on each descriptor, with 95 % intervals",
        data=views[0].traces,
        layout=layout(views[0].layout["xaxis"], up, 330, showlegend=False),
        views=tuple(views) if len(views) > 1 else (),
        group="Against",
    )


def _band(curve: Dependence, colour: str) -> tuple[dict[str, Any], ...]:
    x, (mean, low, high) = curve.places.tolist(), [(10**y).tolist() for y in (curve.mean, curve.low, curve.high)]
    band = {
        "type": "scatter",
        "mode": "lines",
        "x": [*x, *x[::-1]],
        "y": [*low, *high[::-1]],
        "fill": "toself",
        "fillcolor": f"{colour}-fill",
        "line": {"width": 0, "color": colour},
        "hoverinfo": "skip",
    }
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": x,
        "y": mean,
        "line": {"color": colour, "width": 1.8},
        "marker": {"size": 5, "color": colour},
        "hovertemplate": "%{x}: %{y:.3g}<extra></extra>",
    }
    return band, line


def _across(curve: Dependence) -> dict[str, Any]:
    of, places = curve.descriptor, curve.places.tolist()
    ticks: dict[str, Any] = {"tickvals": None, "ticktext": None}
    if of.whole and len(places) <= EACH:
        ticks = {"tickvals": places, "ticktext": [f"{place:,.0f}" for place in places]}
    elif of.logarithmic:
        ticks = log_ticks(places[0], places[-1])
    return axis(of.label, type="log" if of.logarithmic else "linear", **ticks)


def correlation_figure(findings: Findings) -> Figure:
    """Draw the rank correlations between descriptors, error and resources."""
    names = [*findings.names[:-2], "error", "resources"]
    lower = [
        [float(rho) if i > j else None for j, rho in enumerate(row[:-1])] for i, row in enumerate(findings.correlations)
    ][1:]
    shown = [["" if rho is None else f"{rho:+.2f}" for rho in row] for row in lower]
    return Figure(
        name="correlations",
        title="Rank correlations",
        label="Heat map of the rank correlations between descriptors, error and resources",
        data=(
            {
                "type": "heatmap",
                "x": names[:-1],
                "y": names[1:],
                "z": lower,
                "text": shown,
                "texttemplate": "%{text}",
                "textfont": {"size": 11},
                "colorscale": [[0, "@correlation-low"], [0.5, "@paper"], [1, "@correlation-high"]],
                "zmin": -1,
                "zmax": 1,
                "xgap": 2,
                "ygap": 2,
                "showscale": False,
                "hovertemplate": "%{y} and %{x}: %{z:+.2f}<extra></extra>",
                "hoverongaps": False,
            },
        ),
        layout=layout(
            axis("", type="category", ticks="", showgrid=False, tickangle=-40),
            axis("", type="category", ticks="", showgrid=False, autorange="reversed"),
            150 + 30 * len(names),
        ),
    )

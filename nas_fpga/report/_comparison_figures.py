"""Plots of a comparison: what each method had after every trial and second, and where it looked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from nas_fpga.comparison import Band, Comparison, Method
from nas_fpga.report._figure import Figure, View
from nas_fpga.report._theme import LEAST_ERROR, axis, layout, log_ticks, style_of
from nas_fpga.space import format_topology

_TRIALS, _SECONDS = "trials so far", "seconds of training alone so far (expected, one core)"


@dataclass(frozen=True)
class Quantity:
    """What methods are compared by.

    Attributes:
        name: Of its figure.
        title: Heading.
        axis: In words.
        over_trials: Of a method.
        over_time: Of a method.
        is_error: Whether it falls, and is drawn on a logarithmic axis.
    """

    name: str
    title: str
    axis: str
    over_trials: Callable[[Method], Band]
    over_time: Callable[[Method], Band]
    is_error: bool


def quantities(comparison: Comparison) -> tuple[Quantity, ...]:
    """Return what is drawn: the lowest error, and the hypervolume where the front is what was searched for."""
    error = Quantity(
        "error",
        "Lowest error so far",
        f"{comparison.setup.merit_name}, lowest so far",
        lambda method: _above_zero(method.best),
        lambda method: _above_zero(method.best_by_time),
        is_error=True,
    )
    volume = Quantity(
        "hypervolume",
        "Hypervolume so far",
        "hypervolume",
        lambda method: method.hypervolume,
        lambda method: method.hypervolume_by_time,
        is_error=False,
    )
    return (error,) if comparison.by_precision else (error, volume)


def progress_figure(comparison: Comparison, quantity: Quantity) -> Figure:
    """Draw medians and quartiles over seeds of all methods, against trials and against time."""
    both = []
    for of in (quantity.over_trials, quantity.over_time):
        bands = [of(method) for method in comparison.methods]
        line = target_line(comparison) if quantity.is_error else None
        target = [] if line is None else [_target(line, bands)]
        traces = [trace for i, band in enumerate(bands) for trace in _band(comparison.methods[i].name, i, band)]
        both.append((*traces, *target))
    across = [axis(title, type="linear", rangemode="tozero") for title in (_TRIALS, _SECONDS)]
    return Figure(
        name=f"progress-{quantity.name}",
        title=quantity.title,
        label=f"{quantity.axis} of {len(comparison.methods)} methods against trials or seconds of training",
        data=both[0],
        layout=layout(across[0], _vertical(comparison, quantity), 420),
        views=tuple(
            View(label, traces, {"xaxis": x})
            for label, traces, x in zip(("trials", "training time"), both, across, strict=True)
        ),
        group="Against",
    )


def error_range(comparison: Comparison) -> tuple[float, float]:
    """Return the ends of an axis of lowest errors: from all that was reached to what was had soon after the start."""
    lows = [float(method.best.low.min()) for method in comparison.methods]
    starts = [float(np.quantile(method.best.high, 0.95)) for method in comparison.methods]
    low, high = max(min(lows), LEAST_ERROR), max(*starts, LEAST_ERROR)
    margin = max(high / low, 1.1) ** 0.06
    return low / margin, high * margin


def target_line(comparison: Comparison) -> float | None:
    """Return where the target is drawn; None without one."""
    return None if comparison.target is None else max(comparison.target, LEAST_ERROR)


def _above_zero(band: Band) -> Band:
    """Return errors that a logarithmic axis can show."""
    return Band(band.at, *(np.maximum(curve, LEAST_ERROR) for curve in (band.low, band.median, band.high)))


def _vertical(comparison: Comparison, quantity: Quantity) -> dict[str, Any]:
    if not quantity.is_error:
        return axis(quantity.axis, rangemode="tozero")
    low, high = error_range(comparison)
    return axis(quantity.axis, type="log", range=np.log10([low, high]).tolist(), **log_ticks(low, high))


def _band(name: str, index: int, band: Band) -> list[dict[str, Any]]:
    """Return the quartiles as an area, and the median as a line."""
    style = style_of(index)
    x = band.at.tolist()
    edge = {"type": "scatter", "mode": "lines", "x": x, "hoverinfo": "skip", "showlegend": False, "legendgroup": name}
    none = {"width": 0, "shape": "hv", "color": style.colour}
    line = {"shape": "hv", "width": 2, "color": style.colour, "dash": style.dash}
    return [
        edge | {"y": band.low.tolist(), "line": none},
        edge | {"y": band.high.tolist(), "line": none, "fill": "tonexty", "fillcolor": f"{style.colour}-fill"},
        {
            "type": "scatter",
            "mode": "lines" if len(x) > 1 else "markers",
            "name": name,
            "legendgroup": name,
            "x": x,
            "y": band.median.tolist(),
            "line": line,
            "marker": {"color": style.colour, "symbol": style.symbol},
            "hovertemplate": f"{escape(name, quote=False)}<br>%{{x:,.0f}}: %{{y:.4f}}<extra></extra>",
        },
    ]


def _target(at: float, bands: Sequence[Band]) -> dict[str, Any]:
    last = max(float(band.at[-1]) for band in bands)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "target: the grid's winner, trained again",
        "x": [0.0, last],
        "y": [at, at],
        "line": {"color": "@ink", "width": 1.2, "dash": "dot"},
        "hoverinfo": "skip",
    }


# -- maps --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A network of three layers on a map.

    Attributes:
        widths: Of its hidden layers.
        error: Of its training.
        trial: Number of it.
    """

    widths: tuple[int, ...]
    error: float
    trial: int


def places_of(method: Method) -> list[Place]:
    """Return the networks of a method's first search, widest third layer first: narrower ones are drawn upon them."""
    places = [
        Place(trial.candidate.topology, float(error), trial.number)
        for trial, error in zip(method.studies[0].trials, method.traces[0].errors, strict=True)
        if np.isfinite(error)
    ]
    return sorted(places, key=lambda place: -place.widths[2])


def has_maps(comparison: Comparison) -> bool:
    """Tell whether networks lie in a space of three widths."""
    base = comparison.definition.base
    return base.min_layers == base.max_layers == 3


def marker_sizes(places: Sequence[Place], width_limit: int, largest: float) -> list[float]:
    """Return diameters: areas grow with the third layer, and none is too small to see."""
    return [float(largest * max(place.widths[2] / width_limit, 0.04) ** 0.5) for place in places]


def colour_range(comparison: Comparison) -> tuple[float, float]:
    """Return the precisions at the ends of the colours of all maps: nine tenths of all networks lie between them."""
    errors = np.concatenate([method.traces[0].errors for method in comparison.methods])
    return 1 - float(np.nanquantile(errors, 0.9)), 1 - float(np.nanmin(errors))


def map_figure(comparison: Comparison, method: Method) -> Figure:
    """Draw the networks of a method's first search over the widths of their first two layers."""
    study = method.studies[0]
    places = places_of(method)
    limit = study.setup.space.width_limit
    low, high = colour_range(comparison)
    merit = escape(comparison.setup.merit_name, quote=False)
    best = min(places, key=lambda place: place.error, default=None)
    marks = {
        "type": "scatter",
        "mode": "markers",
        "showlegend": False,
        "x": [place.widths[0] for place in places],
        "y": [place.widths[1] for place in places],
        "marker": {
            "size": marker_sizes(places, limit, 34),
            "color": [1 - place.error for place in places],
            "cmin": low,
            "cmax": high,
            "colorscale": [[0, "@ramp-low"], [1, "@ramp-high"]],
            "colorbar": {"title": {"text": "precision"}, "thickness": 12, "outlinewidth": 0},
            "line": {"width": 0.8, "color": "@muted"},
            "opacity": 1,
        },
        "hoverinfo": "text",
        "hovertext": [
            f"<b>trial {place.trial}&nbsp; {format_topology(place.widths)}</b><br>{merit}: {place.error:.4f}"
            for place in places
        ],
    }
    star = {
        "type": "scatter",
        "mode": "markers",
        "name": "most precise",
        "showlegend": False,
        "x": [] if best is None else [best.widths[0]],
        "y": [] if best is None else [best.widths[1]],
        "marker": {"symbol": "star", "size": 15, "color": "@orange", "line": {"width": 1, "color": "@ink"}},
        "hoverinfo": "skip",
    }
    ends = [-0.08 * limit, 1.1 * limit]
    return Figure(
        name=f"map-{method.name}",
        title=f"{method.name}, seed {study.setup.definition.seed}: {len(places)} networks",
        label=f"Networks of {method.name} over the widths of their first two layers, coloured by precision",
        data=(marks, star),
        layout=layout(
            axis("neurons of the first layer", type="linear", range=ends),
            axis("neurons of the second layer", type="linear", range=ends),
            430,
        ),
    )

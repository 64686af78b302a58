"""The front over its resource axis, and the figure of merit over neurons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import numpy as np

from nas_fpga.report._figure import Figure, View
from nas_fpga.report._front_data import FrontData, FrontPoint, Network
from nas_fpga.report._theme import LEAST_SHARE, axis, layout, log_ticks, percent

_LABELS_APART = 0.16  # of the length of the front, on its log axis
_AXES: tuple[tuple[str, str, Callable[[Network], float]], ...] = (
    ("", "", lambda n: max(n.share, LEAST_SHARE)),  # of the limits: the resource axis
    ("LUT", "LUT, all copies", lambda n: n.lut),
    ("DSP", "DSP, all copies", lambda n: n.dsp),
    ("latency", "latency in ns", lambda n: n.latency_ns),
)


def front_figure(data: FrontData) -> Figure:
    """Draw the front with paired errors over all trained networks; views switch the horizontal axis."""
    front = [point.network for point in data.front]
    groups = networks_behind(data)
    best = [point.network for point in data.front if point.is_best]
    labelled = to_label(data)
    traces: list[tuple[dict[str, Any], Sequence[Network]]] = [(_dots(data, *group), group[0]) for group in groups]
    traces += [
        (
            {
                "type": "scatter",
                "mode": "lines",
                "name": "front",
                "showlegend": False,
                "hoverinfo": "skip",
                "y": _heights(data, front),
                "line": {"shape": "hv", "color": "@blue", "width": 1.6},
            },
            front,
        ),
        (_test_marks(data), front),
        (_validation_marks(data), front),
        (
            {
                "type": "scatter",
                "mode": "markers",
                "name": "best: cheapest as good as the most precise",
                "y": _heights(data, best),
                "marker": _STAR,
                **_hover(best),
            },
            best,
        ),
    ]
    views = []
    for label, title, value in _AXES:
        x = [[value(network) for network in networks] for _, networks in traces]
        every = [v for values in x for v in values]
        x_axis = _x_axis(title or data.axis, every)
        # The front is one over the resource axis alone; over another its points are in no order.
        in_order = not title
        labels = []
        if in_order:
            x_axis |= log_ticks(min(every), max(every), percent)
            labels = [_label(data, network, value(network)) for network in labelled]
        shown = (
            {"x": values, "visible": in_order or trace["mode"] != "lines"}
            for values, (trace, _) in zip(x, traces, strict=True)
        )
        views.append(View(label or f"share of {data.limits}", tuple(shown), {"xaxis": x_axis, "annotations": labels}))
    level = max(data.most_precise.network.error, data.floor)
    shapes = [_line("y", level, "@blue", "dot")]
    y_axis = merit_axis(data)
    return Figure(
        name="front",
        title="Precision against resources",
        label=f"Scatter plot: {data.merit} against {data.axis}, {len(front)} points of the front and "
        f"{len(data.trained)} other trained networks",
        data=tuple(trace for trace, _ in traces),
        layout=layout(axis(data.axis), y_axis, 480, shapes=shapes),
        views=tuple(views),
        group="Horizontal axis",
    )


def neurons_figure(data: FrontData) -> Figure:
    """Draw the figure of merit of all trained networks over their neurons, with the knee."""
    front = [point.network for point in data.front]
    traces = [_dots(data, *group) | {"x": [network.neurons for network in group[0]]} for group in networks_behind(data)]
    fitting = sorted(
        [*front, *(n for n in data.trained if n.fits)], key=lambda network: (network.neurons, network.error)
    )
    best_so_far = np.minimum.accumulate([network.error for network in fitting])
    traces += [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "most precise of at most this size",
            "x": [network.neurons for network in fitting],
            "y": [max(value, data.floor) for value in best_so_far.tolist()],
            "hoverinfo": "skip",
            "line": {"shape": "hv", "color": "@muted", "width": 1.2, "dash": "dot"},
        },
        _validation_marks(data, bars=False) | {"x": [network.neurons for network in front]},
    ]
    knee, marks = data.knee, {}
    if knee.neurons < knee.largest:
        marks["shapes"] = [_line("x", knee.neurons, "@green", "dash")]
        marks["annotations"] = [
            {
                "x": float(np.log10(knee.neurons)),
                "y": 0.98,
                "yref": "paper",
                "text": f"knee: {knee.neurons:,} neurons",
                "showarrow": False,
                "xanchor": "right",
                "yanchor": "top",
                "textangle": -90,
                "font": {"color": "@green", "size": 12},
            }
        ]
    x_axis = _x_axis("hidden neurons", [network.neurons for network in (*front, *data.trained)])
    return Figure(
        name="neurons",
        title="Precision against neurons",
        label=f"Scatter plot: {data.merit} against hidden neurons. {knee}",
        data=tuple(traces),
        layout=layout(x_axis, merit_axis(data), 440, **marks),
    )


_STAR = {"symbol": "star", "size": 17, "color": "@orange", "line": {"color": "@ink", "width": 1}}


def top_of(data: FrontData) -> float:
    """Return where the vertical axis ends: networks above it are drawn on its edge."""
    errors = [network.error for network in (*(point.network for point in data.front), *data.trained)]
    highest = max(max(point.network.error, point.test) for point in data.front)
    return max(1.5 * max(highest, float(np.median(errors))), 4 * data.floor)


def merit_axis(data: FrontData) -> dict[str, Any]:
    """Return the axis of the figure of merit that all plots of it share."""
    ends = height_range(data)
    return axis(data.merit, type="log", range=ends, **log_ticks(10 ** ends[0], 10 ** ends[1]))


def height_range(data: FrontData) -> list[float]:
    lows = [_low(data, point) for point in data.front] + [max(point.test, data.floor) for point in data.front]
    return [float(np.log10(min(lows) / 1.25)), float(np.log10(top_of(data) * 1.08))]


def _heights(data: FrontData, networks: Sequence[Network]) -> list[float]:
    return [min(max(network.error, data.floor), top_of(data)) for network in networks]


def _low(data: FrontData, point: FrontPoint) -> float:
    return max(point.network.error - point.paired_standard_error, data.floor)


def networks_behind(data: FrontData) -> list[tuple[list[Network], str, str, str]]:
    """Return the networks behind the front with name, symbol and colour, empty groups left out."""
    top = top_of(data)
    fitting = [network for network in data.trained if network.fits]
    groups = [
        ([n for n in fitting if n.error <= top], "other trained networks", "circle", "@faint"),
        ([n for n in fitting if n.error > top], "above this range", "triangle-up", "@faint"),
        ([n for n in data.trained if not n.fits], "over the limits", "x-thin-open", "@muted"),
    ]
    return [group for group in groups if group[0]]


def _dots(data: FrontData, networks: Sequence[Network], name: str, symbol: str, colour: str) -> dict[str, Any]:
    marker = {"symbol": symbol, "size": 6, "color": colour, "line": {"color": colour, "width": 1}}
    y = _heights(data, networks)
    return {"type": "scatter", "mode": "markers", "name": name, "y": y, "marker": marker, **_hover(networks)}


def _validation_marks(data: FrontData, *, bars: bool = True) -> dict[str, Any]:
    front = [point.network for point in data.front]
    y = _heights(data, front)
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers",
        "name": "front on validation" + (", paired standard error" if bars else ""),
        "y": y,
        "marker": {"symbol": "circle", "size": 8, "color": "@blue"},
        **_hover(front),
    }
    if bars:
        trace["error_y"] = {
            "type": "data",
            "symmetric": False,
            "array": [point.paired_standard_error for point in data.front],
            "arrayminus": [max(height - _low(data, point), 0.0) for height, point in zip(y, data.front, strict=True)],
            "color": "@blue",
            "thickness": 1.4,
            "width": 3,
        }
    return trace


def _test_marks(data: FrontData) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "front on test",
        "y": [max(point.test, data.floor) for point in data.front],
        "marker": {"symbol": "diamond-open", "size": 8, "color": "@vermilion", "line": {"width": 1.6}},
        **_hover([point.network for point in data.front]),
    }


def _hover(networks: Sequence[Network]) -> dict[str, Any]:
    texts = [
        "<br>".join(
            [f"<b>{network.name}&nbsp; {network.network}</b>", *(escape(line, quote=False) for line in network.lines)]
        )
        for network in networks
    ]
    return {"hoverinfo": "text", "hovertext": texts}


def _x_axis(title: str, values: Sequence[float]) -> dict[str, Any]:
    """Return a log axis, or a linear one where a value is 0; a fresh range either way."""
    if min(values) <= 0:
        most = max(values) or 1.0
        return axis(title, type="linear", range=[-0.05 * most, 1.05 * most], tickvals=None, ticktext=None)
    low, high = float(np.log10(min(values))), float(np.log10(max(values)))
    margin = max(0.04 * (high - low), 0.06)
    ends = [low - max(2 * margin, 0.15 * (high - low)), high + margin]  # on the left labels need room
    return axis(title, type="log", range=ends, **log_ticks(min(values), max(values)))


def _label(data: FrontData, network: Network, x: float) -> dict[str, Any]:
    """Return the name of a point of the front below it to the left, where no other point can be."""
    return {
        "x": float(np.log10(x)),
        "y": float(np.log10(_heights(data, [network])[0])),
        "text": label_of(network.network),
        "name": "label",  # left out where there is no room
        "showarrow": False,
        "xanchor": "right",
        "yanchor": "top",
        "xshift": -5,
        "yshift": -4,
        "font": {"size": 11, "color": "@blue"},
    }


def _line(along: str, at: float, colour: str, dash: str) -> dict[str, Any]:
    """Return a straight line across the plot at one value of the axis ``along``."""
    other = "y" if along == "x" else "x"
    return {
        "type": "line",
        "layer": "below",
        f"{along}0": at,
        f"{along}1": at,
        f"{other}0": 0,
        f"{other}1": 1,
        f"{other}ref": "paper",
        "line": {"color": colour, "width": 1.4, "dash": dash},
    }


def to_label(data: FrontData) -> list[Network]:
    """Return networks of the front whose names stand beside them: the best, the ends, and others far from these."""
    best = [point.network for point in data.front if point.is_best]
    front = [point.network for point in data.front]
    place = {network.name: float(np.log(max(network.share, LEAST_SHARE))) for network in front}
    apart = _LABELS_APART * (max(place.values()) - min(place.values()))
    chosen: list[Network] = []
    for network in (*best, front[0], front[-1], *front):
        if all(abs(place[network.name] - place[other.name]) > apart for other in chosen):
            chosen.append(network)
    return chosen


def label_of(network: str, most_layers: int = 4) -> str:
    """Return `64-32-32 w6a4`, or of `64-32 to 41-17 polished` what it is now, shortened."""
    topology, _, bits = network.rpartition(" to ")[2].partition(" ")
    widths = topology.split("-")
    if len(widths) > most_layers:
        widths = [*widths[:2], "..", *widths[-1:]]
    return f"{'-'.join(widths)} {bits}"

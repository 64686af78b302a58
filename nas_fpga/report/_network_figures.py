"""The networks in detail: what they tell apart, how they learned, what they are made of."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from nas_fpga.report._curves import Distributions, RocLine
from nas_fpga.report._figure import Figure, View
from nas_fpga.report._gather import ReportData
from nas_fpga.report._theme import Style, axis, layout, log_ticks, style_of

_SUBSETS = ("test", "validation")
_FROM = 0.5  # least efficiency in the ROC
_LEAST_SHARE = 1e-7  # of a bin, so that it is there on a log axis


def roc_figure(data: ReportData) -> Figure:
    """Draw the ROC of chosen points, or of the best one for each class against the rest, with the working points."""
    names = data.outcome.setup.dataset.class_names
    best = next(chosen for chosen in data.chosen if chosen.row.is_best)
    if len(names) == 2:
        titles = [_plain(chosen.title) for chosen in data.chosen]
        x, y = f"{names[1]} efficiency", f"{names[0]} efficiency"
        label = f"Receiver operating characteristics of {len(titles)} networks with their working points"
    else:
        titles = [_plain(name) for name in names]
        x, y = "efficiency for the class", "share of the others taken for it"
        label = f"Receiver operating characteristic of each of {len(names)} classes against the rest"
    by_subset = []
    for subset in _SUBSETS:
        rocs = [chosen.roc[subset][0] for chosen in data.chosen] if len(names) == 2 else best.roc[subset]
        traces: list[dict[str, Any]] = []
        for i, (title, roc) in enumerate(zip(titles, rocs, strict=True)):
            traces += _roc_traces(title, roc, style_of(i))
        by_subset.append(traces)
    lowest = min(
        y
        for traces in by_subset
        for trace in traces
        for at, y in zip(trace["x"], trace["y"], strict=True)
        if at >= _FROM
    )
    return Figure(
        name="roc",
        title="Receiver operating characteristic",
        label=label,
        data=tuple(by_subset[0]),
        layout=layout(
            axis(_plain(x), range=[_FROM, 1.005]),
            axis(_plain(y), type="log", range=[float(np.log10(lowest / 1.3)), 0.03], **log_ticks(lowest, 1)),
            460,
        ),
        views=tuple(View(s, tuple(traces), {}) for s, traces in zip(_SUBSETS, by_subset, strict=True)),
        group="Rows",
    )


def _roc_traces(title: str, roc: RocLine, style: Style) -> list[dict[str, Any]]:
    signal, background = roc.working_point
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": title,
            "x": list(roc.signal),
            "y": list(roc.background),
            "line": {"color": style.colour, "dash": style.dash, "width": 1.8},
            "hovertemplate": "%{x:.4f} signal, %{y:.4f} background<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": title,
            "showlegend": False,
            "x": [signal],
            "y": [background],
            "marker": {
                "symbol": style.symbol,
                "size": 10,
                "color": style.colour,
                "line": {"color": "@ink", "width": 1},
            },
            "hoverinfo": "text",
            "hovertext": [f"<b>{title}</b><br>working point: {signal:.4f} signal, {background:.4f} background"],
        },
    ]


def scores_figure(data: ReportData) -> Figure:
    """Draw the distribution of the best network's scores in each class, with the threshold."""
    binary = data.outcome.setup.dataset.n_classes == 2
    variants: list[tuple[str, Distributions]] = (
        [(subset, data.scores[subset][0]) for subset in _SUBSETS]
        if binary
        else [(d.title, d) for d in data.scores["test"]]
    )
    views = []
    for label, of in variants:
        title = f"raw output: logit of {of.title}" if binary else "log odds of the class against the rest"
        largest = max(max(shares) for _, shares in of.shares)
        ends = [-4.3, float(np.log10(largest * 1.6))]
        layout_of = {
            "xaxis": axis(_plain(title)),
            "yaxis": axis("share of the class in a bin", type="log", range=ends, dtick=1, tickformat=".2~%"),
            **_threshold(of.threshold),
        }
        views.append(View(_plain(label), tuple(_score_traces(of)), layout_of))
    return Figure(
        name="scores",
        title="Scores of the best network",
        label="Distribution of the best network's scores in each class"
        + (", with the threshold of the working point" if binary else ", one view for each class"),
        data=views[0].traces,
        layout=layout({}, {}, 460),
        views=tuple(views),
        group="Rows" if binary else "Class",
    )


def _score_traces(of: Distributions) -> list[dict[str, Any]]:
    looks = (("@vermilion", "dash", "@vermilion-fill"), ("@blue", "solid", "@blue-fill"))
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": _plain(name),
            "x": list(of.centres),
            "y": [max(share, _LEAST_SHARE) for share in shares],
            "line": {"shape": "hvh", "color": colour, "dash": dash, "width": 1.6},
            "fill": "tozeroy",
            "fillcolor": fill,
            "hovertemplate": "score %{x:.2f}: %{y:.2%}<extra>" + _plain(name).replace("%", "&#37;") + "</extra>",
        }
        for (name, shares), (colour, dash, fill) in zip(of.shares, looks, strict=True)
    ]


def _threshold(threshold: float | None) -> dict[str, Any]:
    if threshold is None:
        return {}
    return {
        "shapes": [
            {
                "type": "line",
                "x0": threshold,
                "x1": threshold,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"color": "@ink", "width": 1.4, "dash": "dot"},
            }
        ],
        "annotations": [
            {
                "x": threshold,
                "y": 1,
                "yref": "paper",
                "text": f"passes from {threshold:g}",
                "showarrow": False,
                "xanchor": "left",
                "yanchor": "top",
                "xshift": 4,
                "font": {"size": 12, "color": "@ink"},
            }
        ],
    }


def curves_figure(data: ReportData) -> Figure:
    """Draw loss against epoch of the front's networks; the chosen ones stand out."""
    traces: list[dict[str, Any]] = []
    others = [of for of in data.curves if not of.is_chosen]
    for i, of in enumerate(others):
        validation = list(of.curve.validation_loss)
        title = _plain(of.title)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "the others of the front, validation",
                "legendgroup": "others",
                "showlegend": i == 0,
                "x": list(range(1, len(validation) + 1)),
                "y": validation,
                "line": {"color": "@faint", "width": 1},
                "hovertemplate": f"{title}<br>epoch %{{x}}: %{{y:.4f}}<extra></extra>",
            }
        )
    for i, of in enumerate(of for of in data.curves if of.is_chosen):
        style = style_of(i)
        title = _plain(of.title)
        for kind, values, width in (
            ("training", of.curve.train_loss, 1.0),
            ("validation", of.curve.validation_loss, 2.0),
        ):
            marked = {"symbol": style.symbol, "color": style.colour, "size": 6, "maxdisplayed": 7}
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers" if kind == "validation" else "lines",
                    "marker": marked,
                    "name": title,
                    "legendgroup": title,
                    "showlegend": kind == "validation",
                    "x": list(range(1, len(values) + 1)),
                    "y": list(values),
                    "line": {"color": style.colour, "width": width, "dash": "solid" if kind == "validation" else "dot"},
                    "hovertemplate": f"{title}<br>{kind}, epoch %{{x}}: %{{y:.4f}}<extra></extra>",
                }
            )
        epoch = of.curve.best_epoch
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": title,
                "legendgroup": title,
                "showlegend": False,
                "x": [epoch + 1],
                "y": [of.curve.validation_loss[epoch]],
                "marker": {
                    "symbol": style.symbol,
                    "color": style.colour,
                    "size": 12,
                    "line": {"color": "@ink", "width": 1},
                },
                "hovertemplate": f"{title}<br>best epoch %{{x}}: %{{y:.4f}}<extra></extra>",
            }
        )
    losses = [loss for of in data.curves for loss in (*of.curve.train_loss, *of.curve.validation_loss) if loss > 0]
    longest = max((len(of.curve.validation_loss) for of in data.curves), default=1)
    return Figure(
        name="curves",
        title="Learning curves",
        label=f"Training and validation loss against epoch of {len(data.curves)} trainings of the front",
        data=tuple(traces),
        layout=layout(
            axis("epoch", rangemode="tozero", **({"dtick": 1} if longest <= 10 else {})),
            axis("loss (cross-entropy)", type="log", **log_ticks(min(losses), max(losses))),
            440,
        ),
    )


def kept_figure(data: ReportData) -> Figure:
    """Draw which share of each layer's weights is not 0."""
    layers = [layer for layer in data.layers if layer.weights]
    names = [layer.name for layer in layers]
    zeros = [layer.weights - layer.kept for layer in layers]
    looks = (
        ("kept", "@blue", "", [layer.kept for layer in layers]),
        ("zero", "@faint", "/", zeros),
    )
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": names,
            "x": [count / layer.weights for count, layer in zip(counts, layers, strict=True)],
            "marker": {
                "color": colour,
                "pattern": {"shape": pattern, "fgcolor": "@paper", "size": 6, "fillmode": "overlay"},
            },
            "hoverinfo": "text",
            "hovertext": [f"{layer.name}: {count:,} of {layer.weights:,} weights {name}"
                          for count, layer in zip(counts, layers, strict=True)],
        }
        for name, colour, pattern, counts in looks
    ]  # fmt: skip
    return Figure(
        name="kept",
        title="Weights kept",
        label="Share of the weights of each layer that are not 0",
        data=tuple(traces),
        layout=layout(
            axis("share of the layer's weights", tickformat=".0%", range=[0, 1]),
            axis("", autorange="reversed", type="category", ticks="", showgrid=False),
            _height(len(layers)),
            barmode="stack",
            bargap=0.35,
        ),
    )


def weights_figure(data: ReportData) -> Figure:
    """Draw how the weights of each layer that are not 0 are distributed over the integers."""
    layers = [layer.name for layer in data.layers if layer.weights]
    largest = max(abs(code) for code in data.weights.codes)
    return Figure(
        name="weights",
        title="Values of the weights kept",
        label="Heat map: for each layer the share of its weights other than 0 that have each integer value",
        data=(
            {
                "type": "heatmap",
                "x": list(data.weights.codes),
                "y": layers,
                "z": [list(shares) for shares in data.weights.shares],
                "colorscale": [[0, "@ramp-low"], [1, "@ramp-high"]],
                "zmin": 0,
                "xgap": 1 if largest < 32 else 0,
                "ygap": 3,
                "colorbar": {"title": {"text": "share"}, "tickformat": ".2~%", "thickness": 10, "outlinewidth": 0},
                "hovertemplate": "%{y}: %{z:.1%} of the weights kept are %{x}<extra></extra>",
                "hoverongaps": False,
            },
        ),
        layout=layout(
            axis("integer weight", **({"dtick": 1} if largest <= 8 else {})),
            axis("", autorange="reversed", type="category", ticks="", showgrid=False),
            _height(len(layers)),
        ),
    )


def _height(n_layers: int) -> int:
    return 160 + 26 * max(n_layers, 3)


def _plain(text: str) -> str:
    """Return text that plotly shows as it is."""
    return escape(text, quote=False)

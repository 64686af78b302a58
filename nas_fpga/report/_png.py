"""The front as a picture: figure of merit over the resource axis and over neurons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nas_fpga.report._front_data import FrontData, Network
from nas_fpga.report._front_figures import height_range, label_of, networks_behind, to_label, top_of
from nas_fpga.report._theme import LEAST_SHARE, LIGHT

_MARGIN = 2.2  # factor
_MARKERS = {"circle": "o", "triangle-up": "^", "x-thin-open": "x"}


def save_png(data: FrontData, path: Path) -> None:
    """Draw the front and write it to ``path``, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    figure = Figure(figsize=(9, 4.4), layout="constrained")  # without pyplot: no state that others share
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    front = [point.network for point in data.front]
    heights = [max(network.error, data.floor) for network in front]
    ends = [
        max(network.error - point.paired_standard_error, data.floor)
        for network, point in zip(front, data.front, strict=True)
    ]
    bars = [
        [height - end for height, end in zip(heights, ends, strict=True)],
        [point.paired_standard_error for point in data.front],
    ]
    top = top_of(data)
    for plot, value in ((left, _share), (right, _neurons)):
        for networks, name, symbol, colour in networks_behind(data):
            y = [min(max(network.error, data.floor), top) for network in networks]
            plot.scatter(_all(networks, value), y, s=11, lw=0.8, color=LIGHT[colour[1:]], marker=_MARKERS[symbol],
                         label=name, zorder=1)  # fmt: skip
        best = next(i for i, point in enumerate(data.front) if point.is_best)
        star = {"marker": "*", "s": 140, "color": LIGHT["orange"], "edgecolors": LIGHT["ink"], "lw": 0.7, "zorder": 5}
        plot.scatter(value(front[best]), heights[best], label="best", **star)
        plot.set(xscale="log", yscale="log")
        plot.spines[["top", "right"]].set_visible(False)
        x = _all([*front, *data.trained], value)
        plot.xaxis.set_major_locator(LogLocator(subs=(1,) if max(x) > 30 * min(x) else (1, 2, 5)))
        plot.xaxis.set_minor_formatter(NullFormatter())
        if min(x) == max(x):  # matplotlib knows no range around one value
            plot.set_xlim(min(x) / _MARGIN, max(x) * _MARGIN)
    shares = _all(front, _share)
    left.step(shares, heights, where="post", color=LIGHT["blue"], lw=1.2, zorder=2)
    left.errorbar(shares, heights, bars, fmt="o", ms=4, lw=1.2, color=LIGHT["blue"], zorder=3,
                  label="front on validation, paired standard error")  # fmt: skip
    left.scatter(shares, [max(point.test, data.floor) for point in data.front], s=26, marker="D", facecolors="none",
                 edgecolors=LIGHT["vermilion"], lw=1.2, zorder=4, label="front on test")  # fmt: skip
    left.set_xlim(left=min(_all([*front, *data.trained], _share)) / _MARGIN)
    left.set_ylim(*(10**end for end in height_range(data)))
    for network in to_label(data):
        at = _share(network), max(network.error, data.floor)
        left.annotate(label_of(network.network), at, (-4, -4), textcoords="offset points", fontsize=8, ha="right",
                      va="top", color=LIGHT["blue"])  # fmt: skip
    left.set(xlabel=_literal(data.axis), ylabel=_literal(data.merit))
    left.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter(FuncFormatter(lambda error, _: f"{error:g}"))
    left.yaxis.set_minor_formatter(NullFormatter())
    right.scatter(_all(front, _neurons), heights, s=18, color=LIGHT["blue"], zorder=3)
    if data.knee.neurons < data.knee.largest:
        label = f"knee: {data.knee.neurons:,} neurons"
        right.axvline(data.knee.neurons, color=LIGHT["green"], ls="--", lw=1.3, label=label)
    right.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:g}"))
    right.set_xlabel("hidden neurons")
    handles: dict[str, Any] = {}
    for plot in (left, right):
        handles |= {label: handle for handle, label in zip(*plot.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=4, fontsize=8.5, frameon=False,
                  columnspacing=1.2, handletextpad=0.3)  # fmt: skip
    figure.savefig(path, dpi=120, format="png", pil_kwargs={"optimize": True})


def _share(network: Network) -> float:
    return max(network.share, LEAST_SHARE)


def _neurons(network: Network) -> float:
    return network.neurons


def _all(networks: Sequence[Network], value: object) -> list[float]:
    assert callable(value)
    return [value(network) for network in networks]


def _literal(text: str) -> str:
    """Return text that matplotlib does not take for a formula."""
    return text.replace("$", r"\$")

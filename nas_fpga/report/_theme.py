"""Colours, marks and the common layout of the plots. Figures name colours by role; a palette says what they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

LEAST_SHARE = 1e-6  # where a share of 0 is drawn on a log axis
LEAST_ERROR = 1e-5  # where an error of 0 is
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

# Hues of Okabe and Ito, "Color universal design" (2008): told apart with any colour vision. On dark paper they are
# lightened until each has a contrast of at least 4.5 to it.
LIGHT = {
    "paper": "#ffffff",
    "ink": "#1c2430",
    "muted": "#5b6675",
    "grid": "#e6e9ee",
    "faint": "#b3bac4",
    "blue": "#0072b2",
    "vermilion": "#d55e00",
    "green": "#008a63",
    "orange": "#e69f00",
    "purple": "#b0508a",
    "sky": "#56b4e9",
    "blue-fill": "rgba(0,114,178,0.20)",
    "vermilion-fill": "rgba(213,94,0,0.20)",
    "green-fill": "rgba(0,138,99,0.20)",
    "orange-fill": "rgba(230,159,0,0.20)",
    "purple-fill": "rgba(176,80,138,0.20)",
    "sky-fill": "rgba(86,180,233,0.20)",
    "ramp-low": "#eef4fa",
    "ramp-high": "#00456c",
    "correlation-low": "#f0b48c",
    "correlation-high": "#8cc1e0",
}
DARK = {
    "paper": "#161b22",
    "ink": "#e6eaf0",
    "muted": "#9aa5b4",
    "grid": "#2a323d",
    "faint": "#5d6875",
    "blue": "#58b4ec",
    "vermilion": "#ff8f4d",
    "green": "#3ecf9f",
    "orange": "#f5bd4a",
    "purple": "#e79ccb",
    "sky": "#8fd0f7",
    "blue-fill": "rgba(88,180,236,0.25)",
    "vermilion-fill": "rgba(255,143,77,0.25)",
    "green-fill": "rgba(62,207,159,0.25)",
    "orange-fill": "rgba(245,189,74,0.25)",
    "purple-fill": "rgba(231,156,203,0.25)",
    "sky-fill": "rgba(143,208,247,0.25)",
    "ramp-low": "#1d2733",
    "ramp-high": "#8fd0f7",
    "correlation-low": "#8a4a1f",
    "correlation-high": "#1f5f8a",
}


class Style(NamedTuple):
    """How one of several series looks; each differs from the others in more than colour."""

    colour: str
    dash: str
    symbol: str


SERIES = (
    Style("@blue", "solid", "circle"),
    Style("@vermilion", "dash", "square"),
    Style("@green", "dot", "diamond"),
    Style("@purple", "dashdot", "triangle-up"),
    Style("@orange", "longdash", "cross"),
    Style("@sky", "longdashdot", "star-triangle-down"),
)


def style_of(index: int) -> Style:
    """Return the look of a series of any number: colours repeat with another dash and symbol."""
    n = len(SERIES)
    return Style(SERIES[index % n].colour, *SERIES[(index + index // n) % n][1:])


def resolve(value: Any, palette: dict[str, str], *, is_colour: bool = False) -> Any:
    """Return a figure with every `@role` that stands for a colour replaced by the palette's.

    Only what is under a key that names a colour is looked at: a class may be called `@blue`.
    """
    if isinstance(value, dict):
        return {
            key: resolve(item, palette, is_colour=key.endswith(("color", "colorscale"))) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [resolve(item, palette, is_colour=is_colour) for item in value]
    if is_colour and isinstance(value, str) and value.startswith("@"):
        return palette[value[1:]]
    return value


def axis(title: str, **more: Any) -> dict[str, Any]:
    """Return an axis with a title that makes room for itself."""
    return {
        "title": {"text": title, "standoff": 8},
        "automargin": True,
        "gridcolor": "@grid",
        "linecolor": "@faint",
        "tickcolor": "@faint",
        "showline": True,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 4,
    } | more


def layout(x: dict[str, Any], y: dict[str, Any], height: int = 420, **more: Any) -> dict[str, Any]:
    """Return the layout that all plots share."""
    return {
        "font": {"family": FONT, "size": 13, "color": "@ink"},
        "paper_bgcolor": "@paper",
        "plot_bgcolor": "@paper",
        "height": height,
        "margin": {"l": 8, "r": 22, "t": 12, "b": 8},  # on the right half of a last label, which plotly else leaves out
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": 12},
        },
        "hoverlabel": {"align": "left", "bgcolor": "@paper", "bordercolor": "@muted", "font": {"color": "@ink"}},
        "hovermode": "closest",
        "xaxis": x,
        "yaxis": y,
    } | more


def log_ticks(low: float, high: float, form: Callable[[float], str] = "{:,.10g}".format) -> dict[str, Any]:
    """Return the ticks of a logarithmic axis from ``low`` to ``high``: decades, more steps, or even ones in between.

    Plotly's own write the leading digit alone between decades.
    """
    ratio = high / low
    if 1 < ratio < 4:
        return _ticks(_even(low, high), form)
    steps = (1,) if ratio > 300 else (1, 2, 5) if ratio > 12 else (1, 1.5, 2, 3, 4, 5, 7)
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    return _ticks([round(step * 10.0**decade, 12) for decade in decades for step in steps], form)


def _even(low: float, high: float) -> list[float]:
    """Return two to seven multiples of 1, 2 or 5 times a power of ten."""
    least = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(least))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= least)
    return [round(k * step, 12) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _ticks(values: list[float], form: Callable[[float], str]) -> dict[str, Any]:
    return {"tickvals": values, "ticktext": [form(value) for value in values]}


def label_log(
    line: Any, low: float, high: float, form: Callable[[float], str] = "{:,.10g}".format, most: int = 12
) -> None:
    """Give matplotlib's logarithmic axis these ticks, those about its ends alone and not more than ``most``."""
    from matplotlib.ticker import NullLocator

    ticks = log_ticks(low, high, form)
    both = zip(ticks["tickvals"], ticks["ticktext"], strict=True)
    inside = [(at, text) for at, text in both if low / 1.2 <= at <= high * 1.2]
    inside = inside[:: -(-len(inside) // most)]
    line.set_ticks([at for at, _ in inside], [text for _, text in inside])
    line.set_minor_locator(NullLocator())


def percent(share: float) -> str:
    """Return `0.1 %`, and `0` of what stands for no share."""
    return "0" if share <= LEAST_SHARE else f"{100 * share:,.10g} %"

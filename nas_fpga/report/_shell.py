"""The frame of all pages: one HTML file that works offline, with its look, its script and plotly's."""

from __future__ import annotations

import base64
import importlib.resources
import json
from collections.abc import Sequence
from html import escape
from string import Template
from typing import Any

from nas_fpga import __version__
from nas_fpga.report._figure import Figure
from nas_fpga.report._theme import DARK, LIGHT
from nas_fpga.study import finite

_DIGITS = 5  # of numbers in plots: far below a pixel

Section = tuple[str, str, str]
"""Name, title and HTML."""


def document(
    *, title: str, eyebrow: str, heading: str, top: str, sections: Sequence[Section], figures: Sequence[Figure]
) -> str:
    """Return a whole page.

    Args:
        title: Of the window.
        eyebrow: What the page is, above its heading.
        heading: Its heading.
        top: HTML between heading and contents.
        sections: In order.
        figures: That are drawn in them; see :func:`figure_place`.
    """
    from plotly.offline import get_plotlyjs

    contents = "".join(f'<li><a href="#{name}">{escape(title)}</a></li>' for name, title, _ in sections)
    body = "".join(f'<section id="{name}"><h2>{escape(title)}</h2>{text}</section>\n' for name, title, text in sections)
    folder = importlib.resources.files("nas_fpga.report")
    read = {name: (folder / name).read_text(encoding="utf-8") for name in ("report.html", "report.css", "report.js")}
    return Template(read["report.html"]).substitute(
        title=escape(title),
        eyebrow=escape(eyebrow),
        heading=escape(heading),
        top=top,
        contents=contents,
        sections=body,
        version=escape(__version__),
        css=read["report.css"],
        script=read["report.js"],
        plotly=get_plotlyjs(),
        figures=json_for_html({"light": LIGHT, "dark": DARK, "figures": [_plain(figure) for figure in figures]}),
    )


def _plain(figure: Figure) -> dict[str, Any]:
    views = [{"traces": view.traces, "layout": view.layout} for view in figure.views]
    data = [
        {
            key: value
            for key, value in trace.items()
            if not views or not all(key in view.traces[i] for view in figure.views)
        }
        for i, trace in enumerate(figure.data)
    ]  # what every view brings along need not stand twice
    return {"name": figure.name, "data": data, "layout": figure.layout, "views": views}


def json_for_html(value: Any) -> str:
    """Return JSON that ends no script element, whatever text is in it; numbers are rounded."""
    text = json.dumps(finite(value, _DIGITS), separators=(",", ":"), allow_nan=False)
    return text.replace("</", "<\\/").replace("<!--", "\\u003c!--")


def figure_place(figure: Figure, caption: str, figures: list[Figure]) -> str:
    """Return the place of a figure, with its buttons, and note that it is to be drawn there."""
    figures.append(figure)
    buttons = "".join(
        f'<button type="button" data-figure="{figure.name}" data-view="{i}" aria-pressed="{str(i == 0).lower()}">'
        f"{view.label}</button>"
        for i, view in enumerate(figure.views)
    )
    views = f'<div class="views" role="group" aria-label="{escape(figure.group)}">{buttons}</div>' if buttons else ""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure><h3>{escape(figure.title)}</h3>{views}<div class="plot" id="plot-{figure.name}" role="img" '
        f'aria-label="{escape(figure.label)}" style="min-height:{figure.layout["height"]}px"></div>{below}</figure>'
    )


def grid(parts: Sequence[str], kind: str = "") -> str:
    """Return parts beside each other where there is room."""
    return f'<div class="grid{kind}">{"".join(parts)}</div>'


def how(text: str) -> str:
    """Return a remark on how to read what follows."""
    return f'<p class="how">{escape(text)}</p>'


def notice(text: str) -> str:
    """Return a remark that must not be missed."""
    return f'<p class="notice">{escape(text)}</p>'


def lede(text: str) -> str:
    """Return the first sentences of a page."""
    return f'<p class="lede">{escape(text)}</p>'


def cards(of: Sequence[tuple[str, str, str]]) -> str:
    """Return cards of a title, a value and a text each."""
    each = "".join(
        f'<div class="card"><h2>{escape(title)}</h2><p class="value">{escape(value)}</p><p>{escape(text)}</p></div>'
        for title, value, text in of
    )
    return f'<section class="cards" aria-label="At a glance">{each}</section>'


def download(name: str, text: str, what: str) -> str:
    """Return the button that saves a CSV file which the page carries."""
    href = base64.b64encode(text.encode()).decode()
    return (
        f'<p class="download"><a class="button" download="{name}" '
        f'href="data:text/csv;charset=utf-8;base64,{href}">Download {name}</a>'
        f' <span class="how">{escape(what)}</span></p>'
    )

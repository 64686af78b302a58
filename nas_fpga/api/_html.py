"""Tables for notebooks; all text is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from nas_fpga.api._table import TEXT_COLUMNS

_NUMBER = "text-align: right; white-space: nowrap"
_TEXT = "text-align: left; white-space: nowrap"


def table_html(rows: Sequence[Mapping[str, str]], strong: Sequence[bool], caption: str) -> str:
    """Return rows of text as a table, some of them in bold; columns are words or numbers."""
    styles = [_TEXT if name in TEXT_COLUMNS else _NUMBER for name in rows[0]]
    head = "".join(f'<th style="{style}">{escape(name)}</th>' for style, name in zip(styles, rows[0], strict=True))
    body = ""
    for row, is_strong in zip(rows, strong, strict=True):
        cells = (f"<b>{escape(text)}</b>" if is_strong else escape(text) for text in row.values())
        body += (
            "<tr>" + "".join(f'<td style="{s}">{cell}</td>' for s, cell in zip(styles, cells, strict=True)) + "</tr>"
        )
    return (
        f'<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody><caption style="caption-side: bottom">'
        f"{escape(caption)}</caption></table>"
    )


def definitions_html(named: Mapping[str, str]) -> str:
    """Return names and values as a table of two columns."""
    rows = (
        f'<tr><th style="{_TEXT}">{escape(name)}</th><td style="text-align: left">{escape(value)}</td></tr>'
        for name, value in named.items()
    )
    return f"<table>{''.join(rows)}</table>"

"""Weka's text format, ARFF: names from its header, its rows as comma-separated values."""

from __future__ import annotations

import re
from collections.abc import Iterator

_QUOTED = rb"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\""
_ATTRIBUTE = re.compile(rb"@attribute\s+(" + _QUOTED + rb"|[^\s{]+)[\s{]", re.IGNORECASE)
_CELL = re.compile(rb"(?:^|,)\s*(" + _QUOTED + rb"|[^,]*?)\s*(?=,|$)")
_QUOTE = re.compile(rb"['\"]")
_NOT_PLAIN = (b" ", b"\t", b"%", b"'", b'"')
_ESCAPED = re.compile(rb"\\(['\"\\%])")


def take_names(lines: Iterator[bytes]) -> list[bytes]:
    """Return the names of the columns; the lines up to `@DATA` are used up."""
    names = []
    for line in lines:
        text = line.strip()
        if text.lower().startswith(b"@data"):
            break
        if attribute := _ATTRIBUTE.match(text):
            names.append(_without_quotes(attribute[1]))
    return names


def as_csv(data: bytes) -> bytes:
    """Return the rows below `@DATA` without comments and without blanks around cells, quoted as in CSV."""
    if not any(mark in data for mark in _NOT_PLAIN):  # as most large files are
        return data
    rows = (line.strip() for line in data.splitlines())
    return b"\n".join(_row_as_csv(row) for row in rows if row and not row.startswith(b"%"))


def _row_as_csv(row: bytes) -> bytes:
    if _QUOTE.search(row):
        return b",".join(map(_cell_as_csv, _CELL.findall(row)))
    return b",".join(map(bytes.strip, row.split(b",")))


def _cell_as_csv(cell: bytes) -> bytes:
    text = _without_quotes(cell)
    return cell if text == cell else b'"' + text.replace(b'"', b'""') + b'"'


def _without_quotes(text: bytes) -> bytes:
    """Return a name or a cell without the quotes around it and the escapes between them."""
    if len(text) < 2 or text[:1] not in (b"'", b'"') or text[-1:] != text[:1]:
        return text
    return _ESCAPED.sub(rb"\1", text[1:-1])

"""Names that others chose, made fit for the files that are written."""

from __future__ import annotations


def one_line(text: str) -> str:
    """Return text with every run of white space, line ends included, as one blank."""
    return " ".join(text.split())


def cell(text: str) -> str:
    """Return text that is one cell of a Markdown table."""
    return one_line(text).replace("|", "\\|")


def comment(line: str, mark: str) -> str:
    """Return a line as a comment of HDL; VHDL has no characters beyond Latin-1, some tools none beyond ASCII."""
    return f"{mark} {line}".rstrip().encode("ascii", "backslashreplace").decode()

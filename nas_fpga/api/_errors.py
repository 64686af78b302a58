"""Errors of the library in Python's words: keywords where the command line has options."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from nas_fpga.errors import NasFpgaError

_SAID = {"resume": "resume=True", "force": "force=True", "study": "name", "to": "folder"}
_OPTION = re.compile(r"(?<![\w./-])--([a-z]+(?:-[a-z]+)*)( NAME)?")  # not within the name of a file


@contextlib.contextmanager
def said_in_python() -> Iterator[None]:
    """Raise errors again, with `max_luts` where the command line says `--max-luts`."""
    try:
        yield
    except NasFpgaError as error:
        raise type(error)(_OPTION.sub(_keyword, str(error))) from error.__cause__


def _keyword(option: re.Match[str]) -> str:
    keyword = _SAID.get(option[1], option[1].replace("-", "_"))
    return f"{keyword}='NAME'" if option[2] else keyword

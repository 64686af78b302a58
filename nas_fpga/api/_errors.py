"""Errors of the library in Python's words: keywords where the command line has options."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from nas_fpga.errors import NasFpgaError

_SAID = ("--resume", "resume=True"), ("--study NAME", "name='NAME'"), ("--study", "name")
_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")


@contextlib.contextmanager
def said_in_python() -> Iterator[None]:
    """Raise errors again, with `max_luts` where the command line says `--max-luts`."""
    try:
        yield
    except NasFpgaError as error:
        text = str(error)
        for option, keyword in _SAID:
            text = text.replace(option, keyword)
        raise type(error)(_OPTION.sub(lambda found: found[1].replace("-", "_"), text)) from error.__cause__

"""Ctrl-C of commands that consist of several studies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from nas_fpga.cli._comparison import resume_command


@contextlib.contextmanager
def resumable(command: str, folder: Path) -> Iterator[None]:
    """Say how to go on when the block is stopped, whatever it is at.

    Raises:
        SearchInterruptedError: Ctrl-C.
    """
    from nas_fpga.study import SearchInterruptedError

    try:
        yield
    except (KeyboardInterrupt, SearchInterruptedError) as error:
        said = str(error) or "stopped"
        raise SearchInterruptedError(f"{said}. Continue with: {resume_command(command, folder)}") from None

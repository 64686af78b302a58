"""Keeps off the terminal what other packages print, from Python and from below it."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def captured() -> Iterator[Callable[[], list[str]]]:
    """Catch standard output and error of this process while the block runs; yields what returns the lines so far."""
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryFile("w+b") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = os.dup(1), os.dup(2)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        text = os.fdopen(os.dup(file.fileno()), "w", buffering=1)

        def lines() -> list[str]:
            text.flush()
            size = os.fstat(file.fileno()).st_size
            return os.pread(file.fileno(), size, 0).decode(errors="replace").splitlines()

        try:
            with text, contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
                yield lines
        finally:
            for number, copy in enumerate(kept, 1):
                os.dup2(copy, number)
                os.close(copy)

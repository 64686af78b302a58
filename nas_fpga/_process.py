"""Runs the tools of a proof: says now and then that they run, and leaves none behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nas_fpga.errors import NasFpgaError

_TELL_EVERY_S = 10.0
_ERROR = re.compile(r"error[:-]", re.IGNORECASE)  # g++, Verilator and Yosys alike


class ToolFailedError(NasFpgaError):
    """A compiler or simulator, or what they built, failed."""


def run(
    command: Sequence[str],
    folder: Path,
    what: str,
    *,
    message: Callable[[str], None],
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> None:
    """Run a command to its end.

    It gets a process group of its own, which ends with ours: a compiler's driver that is stopped alone leaves its
    compilers running.

    Args:
        command: Program and arguments.
        folder: Where it runs.
        what: It does, for people.
        message: Told every ten seconds that it still does.
        environment: Variables beside our own.
        log: File that keeps all that it says; None to keep nothing.

    Raises:
        ToolFailedError: It failed; the text has its first line that speaks of an error, and names the log.
    """
    started = time.monotonic()
    with log.open("w+", errors="replace") if log else tempfile.TemporaryFile("w+", errors="replace") as said:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | dict(environment or {}),
            stdout=said,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        try:
            while True:
                try:
                    code = process.wait(_TELL_EVERY_S)
                    break
                except subprocess.TimeoutExpired:
                    message(f"{what}: {time.monotonic() - started:.0f} s")
        finally:
            if process.poll() is None:  # stopped by the user; compilers remove their temporary files on SIGTERM
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()
        said.seek(0)
        lines = [line.strip() for line in said if line.strip()]
    if code != 0:
        told = next((line for line in lines if _ERROR.search(line)), lines[-1] if lines else "no output")
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        kept = f"; all that it said is in {log}" if log else ""
        raise ToolFailedError(f"{what} {how}: {told[:300]}{kept}")

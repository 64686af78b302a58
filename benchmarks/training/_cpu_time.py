"""CPU time of a process with all its descendants, from Linux' process table."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_POLL_S = 0.5
_GRACE_S = 60.0


def tree_cpu_s(root: int) -> float:
    """Return the CPU seconds of a process, of its descendants, and of those that they have waited for."""
    times, children = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may hold anything; what follows it does not.
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        number = int(path.parent.name)
        times[number] = sum(map(int, fields[11:15])) / _TICKS_PER_S  # user, system, those of children waited for
        children.setdefault(int(fields[1]), []).append(number)
    total, waiting = 0.0, [root]
    while waiting:
        number = waiting.pop()
        total += times.get(number, 0.0)
        waiting += children.get(number, [])
    return total


def run_for(process: subprocess.Popen[bytes], cpu_s: float) -> float:
    """Let a process run until it ends or has used so much CPU time, then interrupt it; return what it used.

    Raises:
        RuntimeError: It does not end when it is interrupted.
        subprocess.CalledProcessError: It failed.
    """
    used, stopped_at = 0.0, None
    try:
        while process.poll() is None:
            used = max(used, tree_cpu_s(process.pid))
            if stopped_at is None and used >= cpu_s:
                stopped_at = time.monotonic()
                process.send_signal(signal.SIGINT)
            elif stopped_at is not None and time.monotonic() - stopped_at > _GRACE_S:
                raise RuntimeError(f"process {process.pid} goes on {_GRACE_S:g} s after it was interrupted")
            time.sleep(_POLL_S)
    finally:
        process.kill()
        process.wait()
    if process.returncode and stopped_at is None:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return used

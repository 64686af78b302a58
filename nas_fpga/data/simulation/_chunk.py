"""One chunk in a process of its own: its beginning, its output, its end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from nas_fpga.data.simulation._plan import Plan


def simulate_chunk(plan: Plan, chunk: range, variables: Mapping[str, str], to: Path, log: Path) -> None:
    """Simulate one chunk and write it. The process must be new and must not be used again.

    Args:
        plan: The run.
        chunk: One of its chunks.
        variables: Environment variables to set before the binding is imported.
        to: File of packed showers to write.
        log: What Geant4 prints goes here.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.update(variables)
    with log.open("wb") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    from nas_fpga.data.simulation._geant4 import run
    from nas_fpga.data.simulation._packing import pack, write_packed

    primaries, seed = plan.primaries(chunk), plan.engine_seed(chunk)
    hits, depths = run(primaries, seed)
    write_packed(to, pack(hits, primaries, seed, depths))
    sys.stdout.flush()
    os._exit(0)  # Geant4's objects are held by both sides: tearing them down in Python's order is not safe


def _end_with_parent() -> None:
    """End this process soon after its parent ended, however that was: a run that is started again needs the cores."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)

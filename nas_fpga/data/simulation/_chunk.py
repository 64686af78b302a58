"""One chunk in a process of its own: its output, its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nas_fpga.data.simulation._plan import Plan


@dataclass(frozen=True)
class Chunk:
    """Showers that are simulated together.

    Attributes:
        plan: The run.
        showers: One of its chunks.
        folder: Of the chunks of the run.
        variables: Environment variables to set before the binding is imported.
    """

    plan: Plan
    showers: range
    folder: Path
    variables: Mapping[str, str]

    @property
    def path(self) -> Path:
        """File of packed showers that keeps it."""
        return chunk_path(self.folder, self.showers)

    @property
    def log(self) -> Path:
        """What Geant4 prints goes here."""
        return self.path.with_suffix(".log")


def chunk_path(folder: Path, showers: range) -> Path:
    """Return the file of packed showers that keeps a chunk."""
    return folder / f"showers_{showers.start:07d}_{showers.stop:07d}.npz"


def simulate_chunk(chunk: Chunk) -> None:
    """Simulate one chunk and write it. The process must be new and must not be used again."""
    os.environ.update(chunk.variables)
    with chunk.log.open("wb") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    from nas_fpga.data.simulation._geant4 import run
    from nas_fpga.data.simulation._packing import pack, write_packed

    primaries, seed = chunk.plan.primaries(chunk.showers), chunk.plan.engine_seed(chunk.showers)
    hits, depths = run(primaries, seed)
    write_packed(chunk.path, pack(hits, primaries, seed, depths))
    sys.stdout.flush()
    os._exit(0)  # Geant4's objects are held by both sides: tearing them down in Python's order is not safe

"""A run of the simulation: chunks in processes, kept as they come, joined at the end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from nas_fpga.data._processes import in_processes
from nas_fpga.data.simulation._chunk import Chunk, chunk_path, simulate_chunk
from nas_fpga.data.simulation._packing import join, read_packed, write_packed
from nas_fpga.data.simulation._physics_tables import BINDING, demand_binding, environment, find_tables, fingerprint
from nas_fpga.data.simulation._plan import CHUNK_SHOWERS, Plan
from nas_fpga.errors import InputError, NasFpgaError

Progress = Callable[[int, int], None]
"""Called at the start and after every chunk with the showers done and the showers there are."""


def simulate(
    plan: Plan, to: Path, workers: int = 1, data_dir: Path | None = None, progress: Progress | None = None
) -> None:
    """Simulate showers and write them to a file that :func:`nas_fpga.data.hgcal.read_showers` reads.

    Beside the file goes ``NAME.npz.json``, which says what it was made with.

    Finished chunks are kept in a folder beside the file until it is written, so that the same call continues after any
    interruption. The bytes of the file depend on the plan, Geant4, its tables and the machine's arithmetic, and not on
    the number of processes nor on interruptions.

    Args:
        plan: What to simulate.
        to: The file to write; it must not exist yet.
        workers: Processes that simulate at the same time.
        data_dir: Folder of Geant4's physics tables, see :func:`find_tables`.
        progress: Told how far it is.

    Raises:
        InputError: The binding or the tables are missing, the file exists, or the folder beside it is of another run.
        NasFpgaError: Geant4 failed.
    """
    demand_binding()
    tables = find_tables(data_dir)
    if workers < 1:
        raise InputError(f"{workers} workers can do nothing; give at least 1")
    if to.suffix != ".npz":
        raise InputError(f"{to}: showers are kept in an .npz file; give --to a name that ends so")
    if to.exists():
        raise InputError(f"{to}: exists already; give another name with --to, or remove it")
    folder = chunk_folder(to)
    definition = _definition(plan, fingerprint(tables))
    _open_folder(folder, definition)
    _simulate_missing(plan, folder, workers, environment(tables), progress)
    write_packed(to, join([read_packed(chunk_path(folder, chunk)) for chunk in plan.chunks()]))
    _write_json(to.with_name(to.name + ".json"), {"showers": plan.showers} | definition)
    shutil.rmtree(folder)


def chunk_folder(to: Path) -> Path:
    """Return the folder that holds the chunks of a run until its file is written."""
    return to.with_name(to.name + ".chunks")


def done_showers(plan: Plan, to: Path) -> int:
    """Return how many showers of an unfinished run are kept."""
    folder = chunk_folder(to)
    return sum(len(chunk) for chunk in plan.chunks() if chunk_path(folder, chunk).exists())


def _definition(plan: Plan, tables: str) -> dict[str, object]:
    """Return all that the bytes of a chunk depend on; the number of showers is not among it."""
    what = {name: value for name, value in asdict(plan).items() if name != "showers"}
    what["energy_gev"] = list(plan.energy_gev)
    return what | {"chunk_showers": CHUNK_SHOWERS, BINDING: version(BINDING), "tables": tables}


def _open_folder(folder: Path, definition: dict[str, object]) -> None:
    record = folder / "run.json"
    if not record.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write_json(record, definition)
        return
    try:
        kept = json.loads(record.read_text(encoding="utf-8"))
    except ValueError:
        kept = {}
    differing = [name for name, value in definition.items() if kept.get(name) != value]
    if differing:
        described = ", ".join(f"{name} {kept.get(name)} there, {definition[name]} here" for name in differing)
        raise InputError(f"{folder}: holds chunks of another run ({described}); remove it or give another --to")


def _write_json(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _simulate_missing(
    plan: Plan, folder: Path, workers: int, variables: dict[str, str], progress: Progress | None
) -> None:
    chunks = [Chunk(plan, showers, folder, variables) for showers in plan.chunks()]
    missing = [chunk for chunk in chunks if not chunk.path.exists()]
    done = plan.showers - sum(len(chunk.showers) for chunk in missing)
    if progress is not None:
        progress(done, plan.showers)
    for chunk, failure in in_processes(simulate_chunk, missing, workers):
        if failure:
            showers = f"{chunk.showers.start} to {chunk.showers.stop - 1}"
            raise NasFpgaError(f"the process of showers {showers} {failure}; what Geant4 said is in {chunk.log}")
        chunk.log.unlink()
        done += len(chunk.showers)
        if progress is not None:
            progress(done, plan.showers)

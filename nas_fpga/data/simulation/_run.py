"""A run of the simulation: chunks in processes, kept as they come, joined at the end."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import signal
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from nas_fpga.data.simulation._chunk import simulate_chunk
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
    write_packed(to, join([read_packed(_chunk_path(folder, chunk)) for chunk in plan.chunks()]))
    _write_json(to.with_name(to.name + ".json"), {"showers": plan.showers} | definition)
    shutil.rmtree(folder)


def chunk_folder(to: Path) -> Path:
    """Return the folder that holds the chunks of a run until its file is written."""
    return to.with_name(to.name + ".chunks")


def done_showers(plan: Plan, to: Path) -> int:
    """Return how many showers of an unfinished run are kept."""
    folder = chunk_folder(to)
    return sum(len(chunk) for chunk in plan.chunks() if _chunk_path(folder, chunk).exists())


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


def _chunk_path(folder: Path, chunk: range) -> Path:
    return folder / f"showers_{chunk.start:07d}_{chunk.stop:07d}.npz"


def _simulate_missing(
    plan: Plan, folder: Path, workers: int, variables: dict[str, str], progress: Progress | None
) -> None:
    waiting = [chunk for chunk in plan.chunks() if not _chunk_path(folder, chunk).exists()]
    done = plan.showers - sum(map(len, waiting))
    running: dict[int, tuple[BaseProcess, range]] = {}
    if progress is not None:
        progress(done, plan.showers)
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                chunk = waiting.pop(0)
                process = _start(plan, chunk, folder, variables)
                running[process.sentinel] = (process, chunk)
            for sentinel in wait(list(running)):
                process, chunk = running.pop(sentinel)  # type: ignore[arg-type]
                process.join()
                if not _chunk_path(folder, chunk).exists():
                    raise NasFpgaError(_failure(process.exitcode or 0, chunk, _log(folder, chunk)))
                _log(folder, chunk).unlink()
                done += len(chunk)
                if progress is not None:
                    progress(done, plan.showers)
    finally:
        for process, _ in running.values():
            process.kill()
        for process, _ in running.values():
            process.join()


def _start(plan: Plan, chunk: range, folder: Path, variables: dict[str, str]) -> BaseProcess:
    process = multiprocessing.get_context("spawn").Process(
        target=simulate_chunk,
        args=(plan, chunk, variables, _chunk_path(folder, chunk), _log(folder, chunk)),
        daemon=True,
    )
    # Blocked signals stay so in the child from its first moment on, so that Ctrl-C reaches the parent alone; starting
    # the resource tracker unblocks them, so that is done before.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process


def _log(folder: Path, chunk: range) -> Path:
    return _chunk_path(folder, chunk).with_suffix(".log")


def _failure(exit_code: int, chunk: range, log: Path) -> str:
    ended = f"died with {signal.Signals(-exit_code).name}" if exit_code < 0 else f"ended with code {exit_code}"
    return f"the process of showers {chunk.start} to {chunk.stop - 1} {ended}; what Geant4 said is in {log}"

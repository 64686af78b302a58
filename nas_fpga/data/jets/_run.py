"""A run of the generator: parts in processes, kept as they come, joined at the end."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from nas_fpga.data._processes import in_processes
from nas_fpga.data.jets._definitions import CLASS_NAMES
from nas_fpga.data.jets._sample import join, read_jets, write_arrays
from nas_fpga.errors import InputError, MissingExtraError, NasFpgaError

PART_JETS = 1000
"""Jets of one part, all of one class: some 15 s of work after 2 s in which Pythia starts."""
STREAMS_OF_SEED = 10_000
MAX_SEED = 8_999  # Pythia's seeds, ten times the stream's number, must be below 9e8
_PACKAGES = ("pythia8mc", "fastjet")
_REVISION = 1  # of the definitions: one more whenever the same seed gives other jets

Progress = Callable[[int, int], None]
"""Called at the start and after every part with the jets done and the jets there are."""


@dataclass(frozen=True)
class Part:
    """Jets of one class from one random stream."""

    stream: int
    label: int
    n: int
    folder: Path

    @property
    def path(self) -> Path:
        """File that keeps it."""
        return self.folder / f"{self.stream}_{CLASS_NAMES[self.label]}_{self.n}.npz"


@dataclass(frozen=True)
class Plan:
    """A run: as many jets of each class. Whole parts of it are those of any longer run with the same seed.

    Attributes:
        jets: How many in all; rounded up to as many of each class.
        seed: Of everything, 0 to 8,999. The table in the package is of seed 0.
    """

    jets: int
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be made.

        Raises:
            InputError: A value out of its range.
        """
        most = PART_JETS * (STREAMS_OF_SEED - 1) * len(CLASS_NAMES)
        if not 1 <= self.jets <= most:
            raise InputError(f"{self.jets:,} jets cannot be made; give 1 to {most:,} with --events")
        if not 0 <= self.seed <= MAX_SEED:
            raise InputError(f"seed {self.seed} is out of range; give one from 0 to {MAX_SEED:,} with --seed")

    @property
    def jets_of_class(self) -> int:
        """Jets of each class."""
        return -(-self.jets // len(CLASS_NAMES))

    @property
    def n_jets(self) -> int:
        """Jets that are made."""
        return self.jets_of_class * len(CLASS_NAMES)

    def parts(self, folder: Path) -> list[Part]:
        """Return the parts in the order of the file: stream by stream, the classes of each in turn."""
        sizes = [min(PART_JETS, self.jets_of_class - done) for done in range(0, self.jets_of_class, PART_JETS)]
        first = self.seed * STREAMS_OF_SEED + 1
        return [
            Part(stream, label, n, folder) for stream, n in enumerate(sizes, first) for label in range(len(CLASS_NAMES))
        ]


def generate_jets(plan: Plan, to: Path, workers: int = 1, progress: Progress | None = None) -> None:
    """Make jets and write them to an npz file of named columns, for :func:`nas_fpga.data.read_dataset`.

    Columns are the features, `class` (text) and `event`, which two jets may share. Finished parts are kept in a folder
    beside the file until it is written, so that the same call continues after any interruption. The bytes depend on the
    plan and on the versions of Pythia, FastJet and numpy alone.

    Args:
        plan: What to make.
        to: The npz file to write; it must not exist yet.
        workers: Processes at the same time.
        progress: Told how far it is.

    Raises:
        MissingExtraError: Pythia or FastJet is not installed.
        InputError: The file exists or is no npz file, or its folder holds parts that other versions made.
        NasFpgaError: A process died.
    """
    demand_generator()
    if workers < 1:
        raise InputError(f"{workers} workers can do nothing; give at least 1")
    if to.suffix != ".npz" or to.is_dir():
        raise InputError(f"{to}: must be a file that ends in .npz; give one with --to")
    if to.exists():
        raise InputError(f"{to}: exists already; give another name with --to, or remove it")
    folder = parts_folder(to)
    _open(folder)
    parts = plan.parts(folder)
    missing = [part for part in parts if not part.path.exists()]
    done = plan.n_jets - sum(part.n for part in missing)
    if progress is not None:
        progress(done, plan.n_jets)
    for part, failure in in_processes(make_part, missing, workers):
        if failure:
            raise NasFpgaError(
                f"the process of {part.n} {CLASS_NAMES[part.label]} jets {failure}; the same again goes on"
            )
        done += part.n
        if progress is not None:
            progress(done, plan.n_jets)
    write_arrays(to, join([read_jets(part.path) for part in parts]).columns())
    _close(folder, parts)


def make_part(part: Part) -> None:
    """Make one part and keep it; to be run in a process of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the banners of Pythia and FastJet
    from nas_fpga.data.jets._generator import generate

    write_arrays(part.path, generate(part.stream, part.label, part.n).arrays())


def parts_folder(to: Path) -> Path:
    """Return the folder that holds the parts of a run until its file is written."""
    return to.with_name(to.name + ".parts")


def done_jets(plan: Plan, to: Path) -> int:
    """Return how many jets of an unfinished run are kept."""
    return sum(part.n for part in plan.parts(parts_folder(to)) if part.path.exists())


def demand_generator() -> None:
    """Raise where Pythia or FastJet is not installed, without importing them.

    Raises:
        MissingExtraError: One is missing.
    """
    missing = [package for package in _PACKAGES if importlib.util.find_spec(package) is None]
    if missing:
        raise MissingExtraError(
            f"making jets needs {' and '.join(missing)} (GPL); install the extra with pip install '.[jets]'"
        )


def _versions() -> str:
    """Return all that the bytes of a part depend on beside its name."""
    packages = [f"{package} {version(package)}" for package in (*_PACKAGES, "numpy")]
    return f"definitions {_REVISION}, {', '.join(packages)}"


def _open(folder: Path) -> None:
    """Make the folder of the parts, or see that the same versions made what is in it."""
    record, versions = folder / "versions.txt", _versions()
    if not record.exists():
        folder.mkdir(parents=True, exist_ok=True)
        record.write_text(versions, encoding="utf-8")
    elif (kept := record.read_text(encoding="utf-8")) != versions:
        raise InputError(f"{folder}: made with {kept}, here are {versions}; remove it or give another --to")


def _close(folder: Path, parts: Sequence[Part]) -> None:
    """Remove the parts, and the folder unless it holds others of a shorter or another run."""
    for part in parts:
        part.path.unlink()
    if not list(folder.glob("*.npz")):
        for path in folder.iterdir():  # the record of versions, unfinished files of killed processes
            path.unlink()
        folder.rmdir()

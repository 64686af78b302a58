"""From simulated showers to the compact tables that the package carries, and from those to a `Dataset`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data._dataset import SUBSETS, Dataset
from nas_fpga.data.hgcal._archive import read_arrays
from nas_fpga.data.hgcal._calibration import cluster_pt_gev, fit_calibration
from nas_fpga.data.hgcal._detector import N_TRIGGER_CE_E, STEPS_PER_MIP, SUM_NAMES
from nas_fpga.data.hgcal._showers import (
    ELECTRON,
    PION,
    PileupLibrary,
    Showers,
    read_pileup_library,
    read_showers,
)
from nas_fpga.data.hgcal._split import stratified_subsets
from nas_fpga.data.hgcal._trigger import PILEUPS, PileupSource, emulate
from nas_fpga.errors import InputError

HGCAL_SEED = 1
"""Seed of the tables in the package: of the splits, the pile-up and the noise."""
CLASS_NAMES = ("pion", "electron")
FEATURE_SETS = {"ce-e": N_TRIGGER_CE_E, "ce-e+ce-h": len(SUM_NAMES)}
"""Number of leading sums in each feature set."""
MIN_ENERGY_GEV = 41.0
"""Showers below are left out: p_T = 9.9 GeV at the entry angle, the reference work's cut."""
MIN_PT_GEV = 10.0
"""A trigger candidate's CE-E transverse momentum is above this."""
PT_BINS_GEV = ((10.0, 15.0), (15.0, 25.0), (25.0, 60.0))
"""Bins of cluster p_T that figures of merit are given in."""
_ENERGY_STEPS_PER_GEV = 256
_MIN_SHOWERS = 4 * (N_TRIGGER_CE_E + 1)
"""Of a kind: half of the electrons train, twice as many as the calibration has constants."""

Progress = Callable[[int, int], None]
"""Called now and then with the showers done and the showers there are."""


@dataclass(frozen=True, eq=False)
class HgcalTable:
    """Clusters, several of each shower, as small integers. Rows are in the order of the showers.

    Attributes:
        sums: `(n, 15)` uint16, cluster sums in eighths of a MIP, saturating at 8,191 MIP.
        shower: `(n,)` uint16 (uint32 where that is too small), number of the shower in the packed file.
        label: `(n,)` uint8, index into :data:`CLASS_NAMES`.
        subset: `(n,)` uint8, index into :data:`SUBSETS`.
        energy: `(n,)` uint16 (uint32 where that is too small), generated energy in 1/256 GeV.
        calibration: `(14,)` int64, see :func:`fit_calibration`.
        pileup: `(1,)` int64, collisions overlaid.
        seed: `(1,)` int64.
        pileup_particles: `(3,)` int64, particles that each subset draws from.
        pileup_placed: `(3,)` int64, how often such a particle was placed in each subset.
    """

    sums: NDArray[np.uint16]
    shower: NDArray[np.unsignedinteger]
    label: NDArray[np.uint8]
    subset: NDArray[np.uint8]
    energy: NDArray[np.unsignedinteger]
    calibration: NDArray[np.int64]
    pileup: NDArray[np.int64]
    seed: NDArray[np.int64]
    pileup_particles: NDArray[np.int64]
    pileup_placed: NDArray[np.int64]

    def arrays(self) -> dict[str, NDArray[np.integer]]:
        """Return the arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def write(self, path: Path) -> None:
        """Write an npz file; the same table gives the same arrays and, with the same zlib, the same bytes."""
        np.savez_compressed(path, allow_pickle=False, **self.arrays())

    @classmethod
    def read(cls, path: Path) -> HgcalTable:
        """Read what :meth:`write` wrote.

        Raises:
            InputError: The file is missing, truncated, or something else.
        """
        return cls(*read_arrays(path, tuple(field.name for field in fields(cls)), "hgcal table"))


def load_hgcal(pileup: int = 200, features: str = "ce-e", tables: Path | None = None) -> Dataset:
    """Return electron and pion clusters in the HGCAL trigger, already split.

    Features are the layer sums of the cluster in MIP (deposited energy, not transverse): 13 CE-E trigger layers, and
    two CE-H sums with ``ce-e+ce-h``. Rows that count are trigger candidates: calibrated CE-E p_T above 10 GeV.

    Args:
        pileup: Collisions overlaid: 0 or 200; 140 has to be derived first, see ``tables``.
        features: One of :data:`FEATURE_SETS`.
        tables: Folder that :func:`write_tables` wrote to, instead of the package's own tables.

    Raises:
        InputError: Unknown pile-up or feature set, or an unusable file.
    """
    if features not in FEATURE_SETS:
        raise InputError(f"unknown feature set {features!r}; choose one of {', '.join(FEATURE_SETS)}")
    if pileup not in PILEUPS:
        raise InputError(f"pile-up {pileup} is not one of {', '.join(map(str, PILEUPS))}")
    if tables is not None:
        table = HgcalTable.read(tables / table_name(pileup))
    else:
        with table_path(pileup) as own:
            table = HgcalTable.read(own)
    if int(table.pileup[0]) != pileup:
        raise InputError(
            f"{tables}: holds a table of pile-up {int(table.pileup[0])} under the name of {pileup}; derive it anew"
        )
    return _dataset(table, features)


def derive_hgcal(
    showers_path: Path, library_path: Path, pileup: int, seed: int = HGCAL_SEED, progress: Progress | None = None
) -> HgcalTable:
    """Derive a table from the packed showers: the same arguments give the same table, bit for bit.

    Raises:
        InputError: Unknown pile-up, an unusable file, or one with too few showers.
    """
    if pileup not in PILEUPS:
        raise InputError(f"pile-up {pileup} is not one of {', '.join(map(str, PILEUPS))}")
    showers, library = read_showers(showers_path), read_pileup_library(library_path)
    hard = showers.energy_gev > MIN_ENERGY_GEV
    for name, pdg in (("electrons", ELECTRON), ("pions", PION)):
        if (n := int((hard & (showers.pdg == pdg)).sum())) < _MIN_SHOWERS:
            raise InputError(
                f"{showers_path}: holds {n} {name} above {MIN_ENERGY_GEV:g} GeV, too few to calibrate and split; "
                f"give a file with at least {_MIN_SHOWERS}"
            )
    return derive_table(showers, library, pileup, seed, progress=progress)


def derive_table(
    showers: Showers,
    library: PileupLibrary,
    pileup: int,
    seed: int = HGCAL_SEED,
    every: int = 1,
    progress: Progress | None = None,
) -> HgcalTable:
    """Derive a table from showers in memory.

    Every shower has random numbers of its own, so that its rows depend on nothing but the seed, the pile-up and its
    number. With ``every`` above 1 only each so-manieth shower is sent through the trigger (the splits stay the same).
    """
    selected = np.flatnonzero(showers.energy_gev > MIN_ENERGY_GEV)
    label = (showers.pdg[selected] == ELECTRON).astype(np.uint8)
    energy = showers.energy_gev[selected]
    subset = stratified_subsets(energy, label, _stream(seed, 0))
    particle_subset = stratified_subsets(library.energy_gev, np.zeros(len(library), np.int8), _stream(seed, 1))
    members = [np.flatnonzero(particle_subset == number) for number in range(len(SUBSETS))]
    sources = [PileupSource(library, part) for part in members]
    copies = overlays(pileup)
    emulated = np.arange(0, len(selected), every)
    placed = np.zeros(len(SUBSETS), np.int64)
    sums = []
    for done, row in enumerate(emulated):
        part, shower = int(subset[row]), int(selected[row])
        rng = _stream(seed, 2, pileup, shower)
        rows, n_particles = emulate(showers, shower, pileup, copies[part], sources[part], rng)
        sums.append(rows)
        placed[part] += n_particles
        if progress is not None and done % 100 == 0:
            progress(done, len(emulated))
    if progress is not None:
        progress(len(emulated), len(emulated))
    row_of = np.repeat(emulated, np.array(copies)[subset[emulated]])
    saturated = np.minimum(np.concatenate(sums), np.iinfo(np.uint16).max).astype(np.uint16)
    calibrating = (label[row_of] == CLASS_NAMES.index("electron")) & (subset[row_of] == SUBSETS.index("train"))
    return HgcalTable(
        sums=saturated,
        shower=_compact(selected[row_of]),
        label=label[row_of],
        subset=subset[row_of].astype(np.uint8),
        energy=_compact(np.rint(energy[row_of] * _ENERGY_STEPS_PER_GEV).astype(np.int64)),
        calibration=fit_calibration(saturated[calibrating], energy[row_of[calibrating]]),
        pileup=np.array([pileup], np.int64),
        seed=np.array([seed], np.int64),
        pileup_particles=np.array([len(part) for part in members], np.int64),
        pileup_placed=placed,
    )


def write_tables(
    showers_path: Path,
    library_path: Path,
    out_dir: Path,
    pileups: Sequence[int] = (200, 0),
    seed: int = HGCAL_SEED,
    progress: Progress | None = None,
) -> list[Path]:
    """Derive tables and write them to a folder, one file for each pile-up.

    Raises:
        InputError: Unknown pile-up, an unusable file, or a folder that cannot be written to.
    """
    written = []
    for pileup in pileups:
        table = derive_hgcal(showers_path, library_path, pileup, seed, progress)
        path = Path(out_dir) / table_name(pileup)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            table.write(path)
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror}); give another folder") from error
        written.append(path)
    return written


def overlays(pileup: int) -> tuple[int, int, int]:
    """Return how many times each shower of train, validation and test is sent through the trigger.

    Without pile-up the copies differ by noise only, which changes next to nothing: one is enough.
    """
    return (8, 4, 4) if pileup else (1, 1, 1)


def table_path(pileup: int) -> AbstractContextManager[Path]:
    """Return a context that gives the path of a table in the package.

    Raises:
        InputError: The package carries none for this pile-up.
    """
    resource = files("nas_fpga.data") / "tables" / table_name(pileup)
    if not resource.is_file():
        raise InputError(
            f"no table for pile-up {pileup} in the package; derive it with `nas-fpga data hgcal --pileup "
            f"{pileup} --to tables` and give --tables tables"
        )
    return as_file(resource)


def table_name(pileup: int) -> str:
    """Return the file name of a table."""
    return f"hgcal_pu{pileup}.npz"


def _compact(values: NDArray[np.int64]) -> NDArray[np.unsignedinteger]:
    """Return the same numbers as uint16, or as uint32 where one is too large: files may hold any number of showers."""
    return values.astype(np.uint16 if values.max(initial=0) <= np.iinfo(np.uint16).max else np.uint32)


def _stream(seed: int, *key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def _dataset(table: HgcalTable, features: str) -> Dataset:
    kept = FEATURE_SETS[features]
    pt = cluster_pt_gev(table.sums, table.calibration)
    n, pileup = len(table.sums), int(table.pileup[0])
    copies = "/".join(map(str, overlays(pileup)))
    uses = "/".join(f"{mean:.0f}" for mean in table.pileup_placed / table.pileup_particles)
    return Dataset(
        name="hgcal",
        features=(table.sums[:, :kept] / np.float32(STEPS_PER_MIP)).astype(np.float32),
        labels=table.label.astype(np.int64),
        class_names=CLASS_NAMES,
        feature_names=SUM_NAMES[:kept],
        feature_units=("MIP",) * kept,
        weights=np.ones(n),
        groups=table.shower.astype(np.int64),
        counted=pt > MIN_PT_GEV,
        spectators={
            "cluster_pt_gev": pt,
            "generated_energy_gev": (table.energy / np.float32(_ENERGY_STEPS_PER_GEV)).astype(np.float32),
        },
        bins={f"p_T {low:g}-{high:g} GeV": (pt > low) & (pt <= high) for low, high in PT_BINS_GEV},
        subset=table.subset.astype(np.int8),
        provenance={
            "source": "Geant4 11.4.1 showers in a stack like the CMS HGCAL, see datasets/README.md",
            "pileup": f"{pileup} collisions, seed {int(table.seed[0])}",
            "overlays": f"{copies} of each train/validation/test shower",
            "pileup_reuse": f"each particle placed {uses} times on average in train/validation/test; none is shared",
            "features": f"cluster sums in MIP (steps of 1/{STEPS_PER_MIP}), {features}",
            "counted": f"trigger candidates: CE-E p_T calibrated on electrons above {MIN_PT_GEV:g} GeV",
        },
    )

"""Geant4's physics tables: which are needed, where they may lie, and one clear line where they do not.

The Python binding looks for them when it is imported, asks on standard input whether it may download them, and
downloads without asking where the environment variable ``CI`` is ``true``. It does neither where ``GEANT4_DATA_DIR`` is
set. So nothing here imports it, and whoever does sets :func:`environment` before.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nas_fpga.errors import InputError, MissingExtraError

BINDING = "geant4_pybind"
DATA_DIR_VARIABLE = "GEANT4_DATA_DIR"
DOWNLOADS = "https://cern.ch/geant4-data/datasets"


@dataclass(frozen=True)
class TableSet:
    """One of Geant4's data sets.

    Attributes:
        folder: Name of its folder, with the version that Geant4 11.4.1 asks for.
        variable: Environment variable that names the folder.
        probe: A file or folder that has to be in it; empty where any content will do.
        archive: File name of the download.
    """

    folder: str
    variable: str
    probe: str
    archive: str


TABLE_SETS = (
    TableSet("G4EMLOW8.8", "G4LEDATA", "brem_SB/br82", "G4EMLOW.8.8.tar.gz"),
    TableSet("G4PARTICLEXS4.2", "G4PARTICLEXSDATA", "neutron/inel82", "G4PARTICLEXS.4.2.tar.gz"),
    TableSet("PhotonEvaporation6.1.2", "G4LEVELGAMMADATA", "", "G4PhotonEvaporation.6.1.2.tar.gz"),
    TableSet("G4ENSDFSTATE3.0", "G4ENSDFSTATEDATA", "ENSDFSTATE.dat", "G4ENSDFSTATE.3.0.tar.gz"),
)
"""What the physics list reads. The binding knows eight more, which other physics lists need."""


def demand_binding() -> None:
    """Raise where the Python binding is not installed, without importing it.

    Raises:
        MissingExtraError: It is not installed.
    """
    if importlib.util.find_spec(BINDING) is None:
        raise MissingExtraError(f"simulating needs the package {BINDING}; install it with pip install '.[geant4]'")


def find_tables(data_dir: Path | None = None, variables: Mapping[str, str] | None = None) -> dict[str, Path]:
    """Return the folder of each of :data:`TABLE_SETS` by its environment variable.

    A set is looked for in ``data_dir`` alone where that is given; else where its own variable points to, else in
    ``GEANT4_DATA_DIR``, else in ``~/.geant4_pybind``, where the binding keeps its downloads.

    Args:
        data_dir: Folder that holds the sets.
        variables: The environment; this process's own by default.

    Raises:
        InputError: A set is missing or not what it should be; the text says which and how to get it.
    """
    variables = os.environ if variables is None else variables
    found = {tables.variable: _folder(tables, data_dir, variables) for tables in TABLE_SETS}
    missing = [tables for tables in TABLE_SETS if not _usable(tables, found[tables.variable])]
    if missing:
        names = ", ".join(f"{tables.folder} ({tables.variable})" for tables in missing)
        place = f" in {data_dir}" if data_dir is not None else ""
        raise InputError(
            f"Geant4's physics tables are missing{place}: {names}; unpack {' '.join(t.archive for t in missing)} "
            f"from {DOWNLOADS} into one folder and give it with --data-dir or {DATA_DIR_VARIABLE}"
        )
    return {variable: folder.absolute() for variable, folder in found.items()}


def environment(tables: Mapping[str, Path]) -> dict[str, str]:
    """Return the variables with which the binding neither asks nor downloads and Geant4 finds these tables."""
    parent = next(iter(tables.values())).parent
    return {DATA_DIR_VARIABLE: str(parent)} | {variable: str(folder) for variable, folder in tables.items()}


def fingerprint(tables: Mapping[str, Path]) -> str:
    """Return a digest of the names and sizes of all files of the tables: other tables give other showers."""
    digest = hashlib.sha256()
    for variable, folder in sorted(tables.items()):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(f"{variable}/{path.relative_to(folder).as_posix()} {path.stat().st_size}\n".encode())
    return digest.hexdigest()[:16]


def _folder(tables: TableSet, data_dir: Path | None, variables: Mapping[str, str]) -> Path:
    if data_dir is not None:
        return data_dir / tables.folder
    if own := variables.get(tables.variable):
        return Path(own)
    if common := variables.get(DATA_DIR_VARIABLE):
        return Path(common) / tables.folder
    return Path.home() / f".{BINDING}" / tables.folder


def _usable(tables: TableSet, folder: Path) -> bool:
    return folder.is_dir() and (folder / tables.probe).exists()

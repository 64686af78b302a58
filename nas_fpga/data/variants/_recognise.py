"""Which published data set a file holds, by what is in it."""

from __future__ import annotations

from pathlib import Path

from nas_fpga.data._tables import Columns
from nas_fpga.data.jets._definitions import CLASS_NAMES, FEATURE_NAMES
from nas_fpga.data.variants._variant import CERNBOX_JETS, HGCAL_BEAM_TEST, OPENML_JETS, VARIANTS, Variant
from nas_fpga.errors import InputError

CLASS_CODES = ("g", "q", "w", "z", "t")
"""Classes as both sets of jets write them, in the order of :data:`CLASS_NAMES`."""
CERNBOX_FEATURES = tuple(f"j_{name}" for name in FEATURE_NAMES)
CERNBOX_CLASSES = tuple(f"j_{code}" for code in CLASS_CODES)
BEAM_TEST_HITS = ("rechit_x", "rechit_y", "rechit_z", "rechit_energy")
BEAM_ENERGIES = ("target", "true_energy")
"""Names of the beam energy: the published one, and that of a file of all electrons that people use."""

OWN_JETS = "own jets"
"""Jets that `nas-fpga data jets` made."""
_SIGNS = {
    OPENML_JETS.name: "columns zlogz to multiplicity, classes g, q, t, w, z",
    CERNBOX_JETS.name: "columns j_*",
    HGCAL_BEAM_TEST.name: "nhits and rechit_*",
}


def recognise(columns: Columns) -> list[str]:
    """Return the names of the data sets whose columns these are: none, one, or several where rows were mixed.

    The jets on CERNBox are told by most of their features, so that a file that lacks one is still refused as theirs.
    """
    found = []
    if columns.keys() >= set(FEATURE_NAMES) and "class" in columns:
        classes = set(columns["class"].tolist())
        found += [OPENML_JETS.name] if classes & set(CLASS_CODES) else []
        found += [OWN_JETS] if classes & set(CLASS_NAMES) else []
    if len(columns.keys() & set(CERNBOX_FEATURES)) > len(CERNBOX_FEATURES) / 2:  # any other table may have some
        found.append(CERNBOX_JETS.name)
    return found


def is_beam_test(path: Path) -> bool:
    """Return whether a file is one of the beam test: HDF5 with its arrays of hits."""
    import h5py

    if not path.is_file() or not h5py.is_hdf5(path):
        return False
    try:
        with h5py.File(path, "r") as file:
            return {"nhits", *BEAM_TEST_HITS} <= set(file)
    except OSError:  # cut: its reader says so
        return False


def refuse_another(path: Path, wanted: Variant, columns: Columns) -> None:
    """Refuse a table of another published data set, and one of several.

    Raises:
        InputError: It is one; the text names it and how to give it.
    """
    found = recognise(columns)
    if wanted.name in found and len(found) == 1:
        return
    if len(found) > 1:
        raise InputError(
            f"{path} mixes {' and '.join(found)}, which are different data sets; give one alone; {wanted.download}"
        )
    if found == [OWN_JETS]:
        raise InputError(
            f"{path} holds jets of nas-fpga data jets (classes gluon, quark, W, Z, top), not {wanted.title}; "
            f"give --data {path} --target class --group event"
        )
    if found:
        raise another(path, wanted, found[0])


def another(path: Path, wanted: Variant, found: str) -> InputError:
    """Return the error that names what a file is instead."""
    is_it = VARIANTS[found]
    files = ",".join(is_it.files) if len(is_it.files) > 1 else str(path)
    return InputError(f"{path} is of {is_it.title} ({_SIGNS[found]}), not {wanted.title}; give --data {found}:{files}")

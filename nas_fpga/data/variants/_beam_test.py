"""Simulated electrons and pions in the prototype of the CMS HGCAL at the beam test of 2018, as layer sums.

What is known of the files: `nhits`, the hits of each event; `rechit_x`, `rechit_y`, `rechit_z` (cm) and `rechit_energy`
(MIP, at least 0.5); `target`, the beam energy (GeV). arXiv:2309.06582 describes the hits as nested arrays, public code
finds them flat, one event after the other: both are read. Neither tells the layer nor the particle. What is assumed of
them is checked on every file, see :func:`_planes` and :func:`_check_pair`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data._dataset import Dataset
from nas_fpga.data._tables import Columns, read_table
from nas_fpga.data.variants._recognise import BEAM_ENERGIES, BEAM_TEST_HITS, another, is_beam_test, recognise
from nas_fpga.data.variants._variant import HGCAL_BEAM_TEST, demand_file
from nas_fpga.errors import InputError

N_LAYERS = 28
"""Silicon layers of CE-E in the prototype (arXiv:2111.06855)."""
MIN_HIT_MIP = 0.5
_HITS_AT_ONCE = 5_000_000
_SAME_PLANE_CM = 0.1
"""Hits of one layer differ by rounding alone, layers by half a centimetre and more."""
_DEPTH_CM = (20.0, 100.0)
"""From the first plane to the last; about 40 cm, so that millimetres and metres fall outside."""
_BEAM_GEV = (1.0, 1000.0)
"""The beams had 10 to 350 GeV."""
_LOW_SHARE = (0.05, 0.1)
"""Most electrons and fewest pions that leave less than half the median energy of an electron per GeV in CE-E. Electrons
are contained within some per cent (arXiv:2111.06855); about every second pion showers behind the middle of CE-E, which
has 1.4 interaction lengths."""
_MIN_EVENTS = 50


@dataclass(frozen=True, eq=False)
class _Showers:
    """Events of one file.

    Attributes:
        layers_mip: `(n, 28)` float32, energy of the hits in each layer.
        beam_gev: `(n,)` float32.
        planes_cm: `(28,)`, where the layers are.
        sha256: Of the file.
    """

    path: Path
    layers_mip: NDArray[np.float32]
    beam_gev: NDArray[np.float32]
    planes_cm: NDArray[np.float64]
    sha256: str

    @property
    def response(self) -> NDArray[np.float32]:
        """`(n,)`, MIP in CE-E per GeV of the beam."""
        return np.asarray(self.layers_mip.sum(axis=1) / self.beam_gev)


def load_beam_test(electrons: Path, pions: Path) -> Dataset:
    """Read the file of electrons and that of pions; the features are the sums over the hits of each CE-E layer, in MIP.

    Layers are the planes of `rechit_z`: the first 28 of each file, from the front; what lies behind them, in CE-H, is
    left out. The files do not say which particle they hold, so this is checked too.

    Args:
        electrons: HDF5, of doi:10.5281/zenodo.7504164.
        pions: HDF5, of doi:10.5281/zenodo.7864471.

    Raises:
        InputError: A file is missing, cut, of another data set, in other units or of the other particle, or the two are
            the same or of different detectors.
    """
    signal, background = _read(electrons), _read(pions)
    _check_pair(signal, background)
    labels = np.repeat([1, 0], [len(signal.beam_gev), len(background.beam_gev)]).astype(np.int64)
    both = (signal, background)
    return Dataset(
        name=HGCAL_BEAM_TEST.name,
        features=np.concatenate([showers.layers_mip for showers in both]),
        labels=labels,
        class_names=("pion", "electron"),
        feature_names=tuple(f"layer_{number}" for number in range(1, N_LAYERS + 1)),
        feature_units=("MIP",) * N_LAYERS,
        weights=np.ones(len(labels)),
        groups=np.arange(len(labels)),
        counted=np.ones(len(labels), dtype=np.bool_),
        spectators={"beam_energy_gev": np.concatenate([showers.beam_gev for showers in both])},
        provenance={
            "variant": HGCAL_BEAM_TEST.name,
            "source": HGCAL_BEAM_TEST.source,
            "file": f"{electrons.name}, {pions.name}",
            "sha256": f"{signal.sha256}, {background.sha256}",
            "rows": f"{len(signal.beam_gev)} electrons, {len(background.beam_gev)} pions",
            "groups": "events: one row each",
            "notice": HGCAL_BEAM_TEST.notice,
        },
    )


def read_events(path: Path) -> Columns:
    """Return what a file tells of each event: the number of hits, and the energy of the beam in GeV.

    Raises:
        InputError: The file is cut or of another data set.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            names = ("nhits", *(name for name in BEAM_ENERGIES if name in file))
            n_hits = _n_hits(path, file)
            columns = {name: np.asarray(file[name][()]).reshape(-1) for name in names}
    except OSError as error:
        raise _unreadable(path, error) from error
    if any(len(column) != len(n_hits) for column in columns.values()):
        raise InputError(f"{path} is cut: nhits has {len(n_hits):,} events; {HGCAL_BEAM_TEST.download}")
    return columns


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = " ".join(str(error).split())[:200]
    return InputError(f"{path} cannot be read as HDF5 ({reason}); {HGCAL_BEAM_TEST.download}")


def _read(path: Path) -> _Showers:
    import h5py

    demand_file(path, HGCAL_BEAM_TEST)
    try:
        with h5py.File(path, "r") as file:
            if missing := [name for name in ("nhits", *BEAM_TEST_HITS) if name not in file]:
                raise _lacking(path, missing)
            energies = [name for name in BEAM_ENERGIES if name in file]
            if not energies:
                raise _lacking(path, BEAM_ENERGIES[:1])
            n_hits = _n_hits(path, file)
            beam_gev = np.asarray(file[energies[0]][()], dtype=np.float32).reshape(-1)
            if len(beam_gev) != len(n_hits):
                raise InputError(
                    f"{path} is cut: nhits has {len(n_hits):,} events and {energies[0]} {len(beam_gev):,}; "
                    f"{HGCAL_BEAM_TEST.download}"
                )
            _check_beam(path, energies[0], beam_gev)
            planes, layers = _sum_layers(path, file, n_hits)
    except InputError:
        raise
    except Exception as error:  # the parser lets through whatever damaged bytes provoke in it
        if path.is_file() and not h5py.is_hdf5(path) and (found := _found_in(path)):
            raise another(path, HGCAL_BEAM_TEST, found) from error
        raise _unreadable(path, error) from error
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return _Showers(path, layers, beam_gev, planes, digest)


def _lacking(path: Path, missing: list[str] | tuple[str, ...]) -> InputError:
    """Return the error for a file without the arrays of the beam test: perhaps it is another known one."""
    if not is_beam_test(path) and (found := _found_in(path)):
        return another(path, HGCAL_BEAM_TEST, found)
    return InputError(
        f"{path} is not of {HGCAL_BEAM_TEST.title}: it lacks {', '.join(missing)}; {HGCAL_BEAM_TEST.download}"
    )


def _found_in(path: Path) -> str | None:
    """Return the name of the published data set that a table is, if it is one."""
    try:
        found = recognise(read_table(path).columns)
    except InputError:
        return None
    return found[0] if len(found) == 1 and found[0].endswith("-jets") else None


def _n_hits(path: Path, file: Any) -> NDArray[np.int64]:
    """Return the hits of each event `(n,)`, which add up to the hits that there are."""
    given = np.asarray(file["nhits"][()]).reshape(-1)
    n_hits = given.astype(np.int64)
    if len(n_hits) < _MIN_EVENTS or (n_hits != given).any() or (n_hits < 0).any():
        raise InputError(
            f"{path}: nhits must be the numbers of hits of at least {_MIN_EVENTS} events; {HGCAL_BEAM_TEST.download}"
        )
    for name in BEAM_TEST_HITS:
        nested = file[name].dtype.kind == "O"
        needed, what = (len(n_hits), "events") if nested else (int(n_hits.sum()), "hits")
        if len(file[name]) != needed:
            raise InputError(
                f"{path} is cut or mixed: nhits tells of {needed:,} {what} and {name} has {len(file[name]):,}; "
                f"{HGCAL_BEAM_TEST.download}"
            )
    return n_hits


def _check_beam(path: Path, name: str, beam_gev: NDArray[np.float32]) -> None:
    low, high = _BEAM_GEV
    if not (np.isfinite(beam_gev).all() and beam_gev.min() >= low and beam_gev.max() <= high):
        raise InputError(
            f"{path}: {name} runs from {beam_gev.min():g} to {beam_gev.max():g}, beams have {low:g} to {high:g} GeV: "
            f"it is in another unit or scaled; {HGCAL_BEAM_TEST.download}"
        )


def _sum_layers(path: Path, file: Any, n_hits: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return the planes `(28,)` and the layer sums `(n, 28)`, some million hits at a time."""
    sums = np.zeros((len(n_hits), N_LAYERS), dtype=np.float32)
    planes: NDArray[np.float64] | None = None
    for first, last, z_cm, energy_mip in _chunks(path, file, n_hits):
        if planes is None:
            planes = _planes(path, z_cm)
        if not np.isfinite(energy_mip).all() or energy_mip.min(initial=MIN_HIT_MIP) < MIN_HIT_MIP * (1 - 1e-5):
            raise InputError(
                f"{path}: a rechit_energy is {np.nanmin(energy_mip):g}, hits of this data set have at least "
                f"{MIN_HIT_MIP:g} MIP: it is in another unit or scaled; {HGCAL_BEAM_TEST.download}"
            )
        layer = np.searchsorted((planes[1:] + planes[:-1]) / 2, z_cm)
        behind = z_cm > planes[-1] + _SAME_PLANE_CM
        off = np.flatnonzero(~behind & (np.abs(z_cm - planes[layer]) > _SAME_PLANE_CM))
        if len(off):
            raise InputError(
                f"{path}: a hit at z = {z_cm[off[0]]:g} cm is in none of the {N_LAYERS} planes of the first events "
                f"({planes[0]:g} to {planes[-1]:g} cm): it is of several detectors; {HGCAL_BEAM_TEST.download}"
            )
        event = np.repeat(np.arange(last - first), n_hits[first:last])
        flat = (event * N_LAYERS + layer)[~behind]
        sums[first:last] = np.bincount(flat, weights=energy_mip[~behind], minlength=(last - first) * N_LAYERS).reshape(
            -1, N_LAYERS
        )
    assert planes is not None
    return planes, sums


def _chunks(
    path: Path, file: Any, n_hits: NDArray[np.int64]
) -> Iterator[tuple[int, int, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield first and last event, and z and energy of the hits between them."""
    ends = np.cumsum(n_hits)
    first = 0
    while first < len(n_hits):
        before = int(ends[first - 1]) if first else 0
        last = max(int(np.searchsorted(ends, before + _HITS_AT_ONCE, side="right")), first + 1)
        hits = []
        for name in ("rechit_z", "rechit_energy"):
            if file[name].dtype.kind == "O":
                nested = file[name][first:last]
                if [len(event) for event in nested] != n_hits[first:last].tolist():
                    raise InputError(f"{path} is mixed: nhits and the events of {name} disagree; download it again")
                hits.append(np.concatenate(nested).astype(np.float64))
            else:
                hits.append(file[name][before : int(ends[last - 1])].astype(np.float64))
        yield first, last, hits[0], hits[1]
        first = last


def _planes(path: Path, z_cm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where the 28 layers of CE-E are: the first distinct values of z, in cm."""
    values = np.unique(z_cm)
    planes = values[np.diff(values, prepend=-np.inf) > _SAME_PLANE_CM][:N_LAYERS] if len(values) else values
    if len(planes) < N_LAYERS:
        raise InputError(
            f"{path}: its first hits lie in {len(planes)} planes of z, CE-E has {N_LAYERS}: it is of another detector "
            f"or in another unit; {HGCAL_BEAM_TEST.download}"
        )
    low, high = _DEPTH_CM
    if not low <= planes[-1] - planes[0] <= high:
        raise InputError(
            f"{path}: the first {N_LAYERS} planes of rechit_z span {planes[-1] - planes[0]:g}, CE-E {low:g} to "
            f"{high:g} cm: it is in another unit; {HGCAL_BEAM_TEST.download}"
        )
    return np.asarray(planes)


def _check_pair(electrons: _Showers, pions: _Showers) -> None:
    """Refuse the same file twice, two detectors, and the wrong particle in a file."""
    if electrons.sha256 == pions.sha256:
        raise InputError(
            f"{electrons.path} and {pions.path} are the same file; give {HGCAL_BEAM_TEST.usage}; "
            f"{HGCAL_BEAM_TEST.download}"
        )
    shift = np.abs(np.diff(electrons.planes_cm) - np.diff(pions.planes_cm)).max()
    if shift > _SAME_PLANE_CM:
        raise InputError(
            f"{electrons.path} and {pions.path} are of different detectors: distances of their layers differ by up to "
            f"{shift:.2g} cm; {HGCAL_BEAM_TEST.download}"
        )
    most, fewest = _LOW_SHARE
    half = np.median(electrons.response) / 2
    low_electrons = float((electrons.response < half).mean())
    low_pions = float((pions.response < half).mean())
    if low_electrons > most:
        raise InputError(
            f"{electrons.path} holds pions: {low_electrons:.0%} of its events leave less than half the median energy "
            f"per GeV in CE-E, of electrons hardly any do; give {HGCAL_BEAM_TEST.usage} in this order"
        )
    if low_pions < fewest:
        raise InputError(
            f"{pions.path} holds electrons: {low_pions:.0%} of its events leave less than half the median energy of an "
            f"electron per GeV in CE-E, of pions about every second does; give {HGCAL_BEAM_TEST.usage} in this order"
        )

"""The simulated beam test, on files written in its format."""

from __future__ import annotations

import hashlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from nas_fpga.data.variants import _beam_test as module
from nas_fpga.data.variants import load_beam_test
from nas_fpga.errors import InputError
from tests.data.variants.files import (
    PLANES_CM,
    cernbox_columns,
    openml_columns,
    shower_arrays,
    write_cernbox,
    write_openml,
    write_showers,
)

ELECTRONS, PIONS = shower_arrays("electron"), shower_arrays("pion", n=150)


@pytest.fixture
def pions(tmp_path: Path) -> Path:
    return write_showers(tmp_path / "pions.h5", PIONS[0])


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("at_once", [200, 5_000_000])
def test_layer_sums(tmp_path: Path, monkeypatch, nested: bool, at_once: int) -> None:
    """Whatever the number of events that are read at a time."""
    monkeypatch.setattr(module, "_HITS_AT_ONCE", at_once)
    arrays = [dict(arrays) for arrays, _ in (ELECTRONS, PIONS)]
    paths = [tmp_path / name for name in ("electrons.h5", "pions.h5")]
    for path, content in zip(paths, arrays, strict=True):
        write_showers(path, content, nested)
    data = load_beam_test(*paths)
    assert_allclose(data.features, np.concatenate([ELECTRONS[1], PIONS[1]]), rtol=1e-5)
    assert data.class_names == ("pion", "electron")
    assert_array_equal(data.labels, np.repeat([1, 0], [120, 150]))
    assert data.feature_names[0] == "layer_1"
    assert data.feature_names[-1] == "layer_28"
    assert set(data.feature_units) == {"MIP"}
    assert_array_equal(data.spectators["beam_energy_gev"][:120], ELECTRONS[0]["target"])
    assert_array_equal(data.groups, np.arange(270))
    assert (data.features[0] == 0).all()
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert data.provenance["sha256"] == ", ".join(digests)
    assert data.provenance["rows"] == "120 electrons, 150 pions"
    assert "10.5281/zenodo.7504164" in data.provenance["source"]
    assert "10.5281/zenodo.7864471" in data.provenance["source"]


def test_other_origin_and_other_name_of_the_energy(tmp_path: Path, pions: Path) -> None:
    arrays = ELECTRONS[0] | {
        "rechit_z": ELECTRONS[0]["rechit_z"] + np.float32(200),
        "true_energy": ELECTRONS[0]["target"],
    }
    arrays["nhits"] = arrays["nhits"].astype(np.float64)
    del arrays["target"]
    data = load_beam_test(write_showers(tmp_path / "electrons.h5", arrays), pions)
    assert_allclose(data.features[:120], ELECTRONS[1], rtol=1e-5)


def without(*names: str) -> dict:
    return {name: array for name, array in ELECTRONS[0].items() if name not in names}


def shifted_layer() -> np.ndarray:
    z = ELECTRONS[0]["rechit_z"].copy()
    z[np.isclose(z, PLANES_CM[9])] += 0.5
    return z


CASES = {
    "no energies": (without("rechit_energy"), "is not of the simulated CMS HGCAL beam test: it lacks rechit_energy; "),
    "no target": (without("target"), "it lacks target; download"),
    "hits are missing": (
        ELECTRONS[0] | {"rechit_energy": ELECTRONS[0]["rechit_energy"][:-9]},
        r"is cut or mixed: nhits tells of [\d,]+ hits and rechit_energy has [\d,]+; download the electrons with wget",
    ),
    "events are missing": (
        ELECTRONS[0] | {"target": ELECTRONS[0]["target"][:-1]},
        "is cut: nhits has 120 events and target 119",
    ),
    "energies in MeV": (
        ELECTRONS[0] | {"target": ELECTRONS[0]["target"] * 1000},
        "target runs from .* beams have 1 to 1000 GeV: it is in another unit",
    ),
    "hits in GeV": (
        ELECTRONS[0] | {"rechit_energy": ELECTRONS[0]["rechit_energy"] / 1000},
        "a rechit_energy is .*, hits of this data set have at least 0.5 MIP",
    ),
    "z in mm": (
        ELECTRONS[0] | {"rechit_z": ELECTRONS[0]["rechit_z"] * 10},
        "the first 28 planes of rechit_z span .*, CE-E 20 to 100 cm: it is in another unit",
    ),
    "z in m": (ELECTRONS[0] | {"rechit_z": ELECTRONS[0]["rechit_z"] / 100}, "lie in .* planes of z, CE-E has 28"),
    "another detector": (
        ELECTRONS[0] | {"rechit_z": shifted_layer()},
        "are of different detectors: distances of their layers differ by up to 0.5 cm",
    ),
    "few planes": (
        ELECTRONS[0] | {"rechit_z": np.float32(20) + 0 * ELECTRONS[0]["rechit_z"]},
        "its first hits lie in 1 planes of z, CE-E has 28: it is of another detector",
    ),
    "nhits are no counts": (ELECTRONS[0] | {"nhits": ELECTRONS[0]["nhits"] + 0.5}, "nhits must be the numbers of hits"),
    "not a number": (
        ELECTRONS[0] | {"target": np.full(120, np.nan)},
        "target runs from nan to nan",
    ),
    "pions": (shower_arrays("pion", seed=4)[0], r"electrons.h5 holds pions: \d+% of its events leave less than half"),
}


@pytest.mark.parametrize("case", CASES)
def test_refuses(tmp_path: Path, pions: Path, case: str) -> None:
    arrays, said = CASES[case]
    path = write_showers(tmp_path / "electrons.h5", arrays)
    with pytest.raises(InputError, match=said) as caught:
        load_beam_test(path, pions)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_pairs_that_are_none(tmp_path: Path, pions: Path) -> None:
    electrons = write_showers(tmp_path / "electrons.h5", ELECTRONS[0])
    others = write_showers(tmp_path / "others.h5", shower_arrays("electron", seed=2)[0])
    with pytest.raises(InputError, match=r"are the same file; give --data hgcal-beam-test:ELECTRONS.h5,PIONS.h5"):
        load_beam_test(electrons, electrons)
    with pytest.raises(
        InputError, match=r"pions.h5 holds pions: .* give --data hgcal-beam-test:ELECTRONS.* this order"
    ):
        load_beam_test(pions, electrons)
    with pytest.raises(InputError, match=r"others.h5 holds electrons: 2% of its events .* in this order"):
        load_beam_test(electrons, others)


def test_a_hit_between_the_planes_of_the_first_events(tmp_path: Path, pions: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "_HITS_AT_ONCE", 1000)
    arrays = ELECTRONS[0] | {"rechit_z": ELECTRONS[0]["rechit_z"].copy()}
    arrays["rechit_z"][-1] = 20.0
    path = write_showers(tmp_path / "electrons.h5", arrays)
    with pytest.raises(InputError, match=r"a hit at z = 20 cm is in none of the 28 planes .* of several detectors"):
        load_beam_test(path, pions)


def test_truncated_and_foreign_files(tmp_path: Path, pions: Path) -> None:
    path = write_showers(tmp_path / "electrons.h5", ELECTRONS[0])
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], np.random.default_rng(0).bytes(4000)):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"electrons.h5 cannot be read as HDF5 \(.*\); download the electrons"):
            load_beam_test(path, pions)
    foreign = write_cernbox(tmp_path / "jets.z", cernbox_columns())
    with pytest.raises(InputError, match=r"is of the CERNBox jets .* give --data cernbox-jets:\S+/jets.z$"):
        load_beam_test(foreign, pions)
    foreign = write_openml(tmp_path / "jets.arff.gz", openml_columns())
    with pytest.raises(InputError, match=r"is of the OpenML jets .* give --data openml-jets:\S+/jets.arff.gz$"):
        load_beam_test(foreign, pions)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.arange(9)
    with pytest.raises(InputError, match="it lacks nhits, rechit_x, rechit_y, rechit_z, rechit_energy; download"):
        load_beam_test(tmp_path / "other.h5", pions)

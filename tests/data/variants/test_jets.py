"""The OpenML and the CERNBox jets, each on a file written in its format."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from nas_fpga.data import split
from nas_fpga.data.jets._definitions import FEATURE_NAMES
from nas_fpga.data.variants import CERNBOX_JETS, OPENML_JETS, load_cernbox_jets, load_openml_jets, load_variant
from nas_fpga.errors import InputError
from tests.data.variants.files import (
    cernbox_columns,
    jets,
    openml_columns,
    shower_arrays,
    write_cernbox,
    write_openml,
    write_showers,
)


@pytest.mark.parametrize("name", ["jets.arff", "jets.arff.gz", "jets.parquet"])
def test_openml_in_each_format(tmp_path: Path, name: str) -> None:
    path = write_openml(tmp_path / name, openml_columns())
    data = load_openml_jets(path, n_rows=400)
    features, labels = jets()
    assert_array_equal(data.features, features.astype(np.float32))
    assert_array_equal(data.labels, labels)
    assert data.class_names == ("gluon", "quark", "W", "Z", "top")
    assert data.feature_names == FEATURE_NAMES
    assert dict(zip(data.feature_names, data.feature_units, strict=True))["mass_mmdt"] == "GeV"
    assert (data.name, data.provenance["variant"], data.provenance["rows"]) == ("openml-jets", "openml-jets", "400")
    assert "OpenML 42468" in data.provenance["source"]
    assert data.provenance["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "neither the CERNBox file nor the jets of this package" in data.provenance["notice"]
    assert data.repairs == ()


def test_cernbox(tmp_path: Path) -> None:
    path = write_cernbox(tmp_path / "processed_truth.z", cernbox_columns())
    data = load_cernbox_jets(path, n_rows=400)
    features, labels = jets()
    assert_array_equal(data.features, features.astype(np.float32))
    assert_array_equal(data.labels, labels)
    assert data.feature_names == FEATURE_NAMES
    assert data.name == "cernbox-jets"
    assert data.provenance["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "https://cernbox.cern.ch/s/jvFd5MoWhGs1l5v" in data.provenance["source"]


def test_copies_of_a_row_stay_in_one_subset(tmp_path: Path) -> None:
    columns = openml_columns(600)
    copied = {name: np.concatenate([column, column[:200]]) for name, column in columns.items()}
    data = load_openml_jets(write_openml(tmp_path / "jets.parquet", copied), n_rows=800)
    assert "200 rows that repeat another stay with it" in data.provenance["groups"]
    assert_array_equal(data.groups[600:], data.groups[:200])
    assert len(np.unique(data.groups)) == 600
    assert len(split(data, 0).train) + len(split(data, 0).validation) + len(split(data, 0).test) == 800


def test_cernbox_rows_of_no_class_are_dropped_and_told(tmp_path: Path) -> None:
    columns = cernbox_columns()
    for code in "gqwzt":
        columns[f"j_{code}"][:7] = 0
    data = load_cernbox_jets(write_cernbox(tmp_path / "jets.h5", columns), n_rows=400)
    assert data.repairs == ("dropped 7 of 400 rows that are of none of the five classes",)
    assert_array_equal(data.labels, jets()[1][7:])


def test_the_whole_sets_through_their_names(tmp_path: Path) -> None:
    """As many rows as were published, so that nothing is told of the count."""
    path = tmp_path / "jets.parquet"
    data = load_variant(f"openml-jets:{write_openml(path, openml_columns(OPENML_JETS.n_rows))}")
    assert data.features.shape == (830_000, 16)
    path = write_cernbox(tmp_path / "jets.z", cernbox_columns(CERNBOX_JETS.n_rows))
    data = load_variant(f"CERNBOX-jets:{path}")
    assert data.features.shape == (986_806, 16)


def changed(columns, **changes):
    return {name: column for name, column in (columns | changes).items() if column is not None}


OPENML_CASES = {
    "cut": (openml_columns(300), "has 300 rows and the OpenML jets have 400: it is cut; download them with python -c"),
    "more rows": (openml_columns(500), "500 rows and the OpenML jets have 400: it is mixed with other rows"),
    "a column less": (changed(openml_columns(), zlogz=None), "is not the OpenML jets: it lacks zlogz; download"),
    "no class": (changed(openml_columns(), **{"class": None}), "is not the OpenML jets: it lacks class; download"),
    "mass in MeV": (
        changed(openml_columns(), mass_mmdt=openml_columns()["mass_mmdt"] * 1000),
        "mass_mmdt has the median .*, not 10 to 500 GeV: it is in another unit or scaled",
    ),
    "standardised mass": (
        changed(openml_columns(), mass_mmdt=openml_columns()["mass_mmdt"] - 90),
        "mass_mmdt has the median .*: it is in another unit or scaled",
    ),
    "scaled multiplicity": (
        changed(openml_columns(), multiplicity=openml_columns()["multiplicity"] / 150),
        "multiplicity is no number of constituents: it is scaled",
    ),
    "a class more": (
        changed(openml_columns(), **{"class": np.where(np.arange(400) == 9, "b", openml_columns()["class"])}),
        "class 'b' is none of g, q, w, z, t",
    ),
    "a class less": (
        changed(openml_columns(), **{"class": np.where(np.arange(400) % 2, "g", "t")}),
        "holds no jet of class 'q'",
    ),
    "the jets of the package": (
        changed(openml_columns(), **{"class": np.array(["gluon", "top"])[np.arange(400) % 2]}),
        r"holds jets of nas-fpga data jets .*; give --data \S+parquet --target class --group event$",
    ),
    "mixed with the jets of the package": (
        changed(openml_columns(), **{"class": np.array(["gluon", "t"])[np.arange(400) % 2]}),
        "mixes openml-jets and own jets, which are different data sets; give one alone",
    ),
    "mixed with columns of CERNBox": (
        openml_columns() | cernbox_columns(),
        "mixes openml-jets and cernbox-jets, which are different data sets",
    ),
    "CERNBox": (
        cernbox_columns(),
        r"is of the CERNBox jets \(columns j_\*\), not the OpenML jets; give --data cernbox-jets:\S+jets.parquet$",
    ),
}


@pytest.mark.parametrize("case", OPENML_CASES)
def test_openml_refuses(tmp_path: Path, case: str) -> None:
    columns, said = OPENML_CASES[case]
    path = write_openml(tmp_path / "jets.parquet", columns)
    with pytest.raises(InputError, match=said) as caught:
        load_openml_jets(path, n_rows=400)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


CERNBOX_CASES = {
    "cut": (cernbox_columns(300), "has 300 rows and the CERNBox jets have 400: it is cut; download them with wget"),
    "a column less": (changed(cernbox_columns(), j_m2_b1_mmdt=None), "it lacks j_m2_b1_mmdt; download"),
    "two classes in a row": (
        changed(cernbox_columns(), j_t=np.ones(400, dtype=int)),
        r"row 1 is not of one class \(j_g, j_q, j_w, j_z, j_t are \[1, 0, 0, 0, 1\]\)",
    ),
    "no ones": (
        changed(cernbox_columns(), j_t=cernbox_columns()["j_t"] * 2),
        r"row 5 is not of one class .*\[0, 0, 0, 0, 2\]",
    ),
    "mass in MeV": (
        changed(cernbox_columns(), j_mass_mmdt=cernbox_columns()["j_mass_mmdt"] * 1000),
        "j_mass_mmdt has the median .* another unit",
    ),
}


@pytest.mark.parametrize("case", CERNBOX_CASES)
def test_cernbox_refuses(tmp_path: Path, case: str) -> None:
    columns, said = CERNBOX_CASES[case]
    path = write_cernbox(tmp_path / "jets.z", columns)
    with pytest.raises(InputError, match=said) as caught:
        load_cernbox_jets(path, n_rows=400)
    assert "\n" not in str(caught.value)


def test_cernbox_refuses_openml(tmp_path: Path) -> None:
    path = write_openml(tmp_path / "jets.arff.gz", openml_columns())
    with pytest.raises(
        InputError, match=r"is of the OpenML jets \(columns zlogz to .* --data openml-jets:\S+jets.arff.gz$"
    ):
        load_cernbox_jets(path)


@pytest.mark.parametrize("load", [load_openml_jets, load_cernbox_jets])
def test_the_beam_test_is_refused(tmp_path: Path, load) -> None:
    path = write_showers(tmp_path / "electrons.h5", shower_arrays("electron")[0])
    said = r"is of the simulated CMS HGCAL beam test \(nhits and .* --data hgcal-beam-test:ELECTRONS.h5,PIONS.h5$"
    with pytest.raises(InputError, match=said):
        load(path)


def test_truncated_files(tmp_path: Path) -> None:
    for load, path in (
        (load_openml_jets, write_openml(tmp_path / "jets.arff.gz", openml_columns())),
        (load_openml_jets, write_openml(tmp_path / "jets.parquet", openml_columns())),
        (load_cernbox_jets, write_cernbox(tmp_path / "jets.z", cernbox_columns())),
    ):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) * 2 // 3])
        with pytest.raises(InputError, match=r"cannot be read as .*; it is damaged or of another format") as caught:
            load(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            "openml-jets:gone.arff.gz",
            r"^gone.arff.gz does not exist; download them with python -c \"from sklearn.* and ",
        ),
        (
            "cernbox-jets:gone.z",
            r"^gone.z does not exist; download them with wget https://cernbox.cern.ch/s/\w+/download",
        ),
        ("hgcal-beam-test:e.h5,p.h5", r"^e.h5 does not exist; download .*records/7504164/.*records/7864471/"),
        ("openml-jets", r"^--data openml-jets does not name its file; give --data openml-jets:JETS.arff.gz; download"),
        ("cernbox-jets:", r"does not name its file; give --data cernbox-jets:JETS.z; download"),
        ("hgcal-beam-test:e.h5", r"not name its 2 files; give --data hgcal-beam-test:ELECTRONS.h5,PIONS.h5; download"),
        ("hgcal-beam-test:a,b,c", r"does not name its 2 files"),
    ],
)
def test_missing_files_say_where_to_get_them(data: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        load_variant(data)
    assert "\n" not in str(caught.value)

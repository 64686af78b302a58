"""The table in the package."""

from importlib.resources import files

import numpy as np
import pytest

from nas_fpga.data import load_jets
from nas_fpga.data.jets import CLASS_NAMES, FEATURES, Jets, physics_checks, read_jets, write_table
from nas_fpga.data.jets._physics_checks import peak_gev

TABLE = files("nas_fpga.data") / "tables" / "jets.npz"


@pytest.fixture(scope="module")
def dataset():
    return load_jets()


def test_holds_as_many_jets_of_each_class(dataset):
    assert dataset.class_names == ("gluon", "quark", "W", "Z", "top")
    np.testing.assert_array_equal(np.bincount(dataset.labels), [27_000] * 5)
    assert dataset.features.shape == (135_000, 16)
    assert len(np.unique(dataset.groups)) == 76_309
    assert len(TABLE.read_bytes()) < 10_000_000


def test_events_are_never_parted_and_shares_are_those_asked(dataset):
    subsets_of = {}
    for event, subset in zip(dataset.groups.tolist(), dataset.subset.tolist(), strict=True):
        subsets_of.setdefault(event, set()).add(subset)
    assert max(map(len, subsets_of.values())) == 1
    for number, n in enumerate((16_200, 5_400, 5_400)):
        np.testing.assert_array_equal(np.bincount(dataset.labels[dataset.subset == number]), [n] * 5)


def test_physics_is_as_expected(dataset):
    failed = [check for check in physics_checks(dataset) if not check.passed]
    assert failed == []


def test_peak_finds_the_peak_and_not_the_mean():
    rng = np.random.default_rng(0)
    mass = np.concatenate([rng.normal(85, 4, 5000), rng.uniform(0, 60, 5000)])
    assert peak_gev(mass, 80.4) == pytest.approx(85, abs=0.4)


def test_quark_gluon_and_prongs_are_ordered(dataset):
    column = {f.name: dataset.features[:, k] for k, f in enumerate(FEATURES)}
    mean = {
        name: {f: values[dataset.labels == k].mean() for f, values in column.items()}
        for k, name in enumerate(CLASS_NAMES)
    }
    assert mean["gluon"]["multiplicity"] > 1.3 * mean["quark"]["multiplicity"]
    assert mean["gluon"]["c1_b1_mmdt"] > mean["quark"]["c1_b1_mmdt"]
    assert mean["top"]["mass_mmdt"] > mean["Z"]["mass_mmdt"] > mean["W"]["mass_mmdt"]
    for two_prong in ("W", "Z"):
        assert mean[two_prong]["n2_b1_mmdt"] < 0.9 * mean["quark"]["n2_b1_mmdt"]


def test_says_that_it_is_not_the_known_set(dataset):
    assert "neither the OpenML nor the CERNBox set" in dataset.provenance["notice"]


def test_generator_makes_the_first_jets_of_the_table_again(fresh):
    with TABLE.open("rb") as file, np.load(file) as arrays:
        labels, events = arrays["labels"], arrays["events"]
        features, pt_gev = arrays["features"], arrays["pt_gev"]
    for label, jets in enumerate(fresh):
        first = np.flatnonzero((labels == label) & (events < 200_000))[: len(jets)]
        np.testing.assert_array_equal(jets.events, events[first])
        np.testing.assert_array_equal(jets.labels, labels[first])
        # Sums may be ordered differently by other versions of numpy and on other processors.
        np.testing.assert_allclose(jets.pt_gev, pt_gev[first], rtol=1e-6)
        np.testing.assert_allclose(jets.features, features[first], rtol=1e-5, atol=1e-6)


def test_written_tables_are_read_again_and_repeat(tmp_path, dataset):
    some = np.arange(0, len(dataset.labels), 50)
    jets = Jets(
        features=dataset.features[some],
        labels=dataset.labels[some].astype(np.uint8),
        pt_gev=dataset.spectators["pt_gev"][some],
        events=dataset.groups[some],
    )
    for name in ("a.npz", "b.npz"):
        write_table(jets, tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again = read_jets(tmp_path / "a.npz")
    np.testing.assert_array_equal(again.features, jets.features)
    np.testing.assert_array_equal(again.events, jets.events)
    assert again.features.flags.c_contiguous

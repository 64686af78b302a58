import math
from importlib.resources import files

import numpy as np
import pytest

from nas_fpga.data.hgcal import HgcalTable, derive_hgcal, load_hgcal, write_tables
from nas_fpga.data.hgcal._calibration import cluster_pt_gev, fit_calibration
from nas_fpga.data.hgcal._tables import _compact, derive_table
from nas_fpga.errors import InputError

from .conftest import LIBRARY, SHOWERS

TABLES = files("nas_fpga.data") / "tables"


@pytest.fixture(scope="module", params=[200, 0])
def dataset(request):
    return load_hgcal(request.param, "ce-e+ce-h")


class TestCarriedTables:
    def test_no_group_parts_and_each_subset_has_its_share(self, dataset):
        showers_of = [set(dataset.groups[dataset.subset == number]) for number in range(3)]
        assert len(set.union(*showers_of)) == sum(map(len, showers_of))
        pions = [len(set(dataset.groups[(dataset.subset == k) & (dataset.labels == 0)])) for k in range(3)]
        assert pions == [4690, 2345, 2345]
        electrons = [len(set(dataset.groups[(dataset.subset == k) & (dataset.labels == 1)])) for k in range(3)]
        assert electrons == [2216, 1108, 1108]

    def test_labels_and_energies_are_those_of_the_showers(self, dataset, showers):
        np.testing.assert_array_equal(dataset.labels, showers.pdg[dataset.groups] == 11)
        energy = dataset.spectators["generated_energy_gev"]
        assert np.abs(energy - showers.energy_gev[dataset.groups]).max() < 1 / 500
        assert energy.min() >= 41
        assert dataset.class_names == ("pion", "electron")

    def test_candidates_are_clusters_above_ten_gev(self, dataset):
        pt = dataset.spectators["cluster_pt_gev"]
        np.testing.assert_array_equal(dataset.counted, pt > 10)
        electron = dataset.labels == 1
        # electrons are above 41 GeV = 9.9 GeV in p_T: nearly all are candidates; of the pions a quarter
        assert dataset.counted[electron].mean() > 0.97
        assert 0.2 < dataset.counted[~electron].mean() < 0.35

    def test_calibration_is_unbiased_on_electrons(self, dataset):
        test = (dataset.labels == 1) & (dataset.subset == 2)
        pt, energy = (dataset.spectators[name][test] for name in ("cluster_pt_gev", "generated_energy_gev"))
        response = pt * math.cosh(2.1) / energy
        assert response.mean() == pytest.approx(1, abs=0.01)
        assert response.std() < 0.08

    def test_splits_agree_between_pileups(self, dataset):
        other = load_hgcal(200 if dataset.groups.size < 20_000 else 0)
        by_shower = dict(zip(other.groups, other.subset, strict=True))
        assert all(by_shower[shower] == subset for shower, subset in zip(dataset.groups, dataset.subset, strict=True))

    def test_are_small(self):
        assert sum(len((TABLES / f"hgcal_pu{pileup}.npz").read_bytes()) for pileup in (0, 200)) < 10_000_000


def test_features_are_the_leading_sums():
    both, ce_e = load_hgcal(200, "ce-e+ce-h"), load_hgcal()
    np.testing.assert_array_equal(both.features[:, :13], ce_e.features)
    assert ce_e.feature_names == tuple(f"ce_e_{layer:02d}" for layer in range(1, 26, 2))
    assert both.feature_names[13:] == ("ce_h_silicon", "ce_h_scintillator")
    assert both.feature_units == ("MIP",) * 15


def test_pileup_raises_the_sums_and_the_first_layers_most_visibly():
    with_, without = load_hgcal(200), load_hgcal(0)
    electron = [d.features[d.labels == 1].mean(axis=0) for d in (with_, without)]
    assert (electron[0] > electron[1]).all()
    assert electron[0][0] > 3 * electron[1][0]


class TestDerivation:
    @pytest.mark.parametrize("pileup", [200, 0])
    def test_repeats_the_carried_rows_bit_for_bit(self, pileup, showers, library):
        carried = HgcalTable.read(TABLES / f"hgcal_pu{pileup}.npz")
        part = derive_table(showers, library, pileup, every=40)
        rows = np.flatnonzero(np.isin(carried.shower, part.shower))
        assert len(part.sums) == len(rows) > 300
        for name in ("sums", "shower", "label", "subset", "energy"):
            np.testing.assert_array_equal(getattr(part, name), getattr(carried, name)[rows])

    @pytest.mark.slow
    def test_repeats_the_whole_default_table_bit_for_bit(self):
        carried = HgcalTable.read(TABLES / "hgcal_pu200.npz").arrays()
        derived = derive_hgcal(SHOWERS, LIBRARY, 200).arrays()
        assert derived.keys() == carried.keys()
        for name, array in derived.items():
            np.testing.assert_array_equal(array, carried[name])
            assert array.dtype == carried[name].dtype

    def test_the_seed_changes_pileup_and_split(self, showers, library):
        one, two = (derive_table(showers, library, 200, seed=seed, every=400) for seed in (1, 2))
        assert one.sums.shape != two.sums.shape or (one.sums != two.sums).any()
        assert one.shower.shape != two.shower.shape or (one.subset != two.subset).any()

    def test_write_and_load_another_pileup(self, showers, library, tmp_path, monkeypatch):
        monkeypatch.setattr("nas_fpga.data.hgcal._tables.read_showers", lambda _: _first(showers, 900))
        steps = []
        written = write_tables(SHOWERS, LIBRARY, tmp_path / "new", (140,), progress=lambda *step: steps.append(step))
        assert written == [tmp_path / "new" / "hgcal_pu140.npz"]
        loaded = load_hgcal(140, tables=written[0].parent)
        assert "140 collisions" in loaded.provenance["pileup"]
        assert steps[0][0] == 0
        assert steps[-1][0] == steps[-1][1] == len(np.unique(loaded.groups))


class TestCalibration:
    def test_recovers_weights_and_offset(self):
        rng = np.random.default_rng(1)
        sums = rng.integers(0, 8000, (500, 15)).astype(np.uint16)
        weights = rng.uniform(0.001, 0.004, 13)
        energy = sums[:, :13] @ weights + 3.0
        calibration = fit_calibration(sums, energy)
        np.testing.assert_allclose(calibration * 2.0**-24, [*weights, 3.0], rtol=1e-4)
        np.testing.assert_allclose(cluster_pt_gev(sums, calibration) * math.cosh(2.1), energy, rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"pileup": 140}, r"derive it with `nas-fpga data hgcal --pileup 140 --to tables` and give --tables tables"),
        ({"pileup": 50}, r"pile-up 50 is not one of 0, 140, 200"),
        ({"features": "ce-h"}, r"unknown feature set 'ce-h'; choose one of ce-e, ce-e\+ce-h"),
    ],
)
def test_wrong_arguments(arguments, line):
    with pytest.raises(InputError, match=line):
        load_hgcal(**arguments)


def test_a_table_under_another_name(tmp_path):
    (tmp_path / "hgcal_pu0.npz").write_bytes((TABLES / "hgcal_pu200.npz").read_bytes())
    with pytest.raises(InputError, match=r"holds a table of pile-up 200 under the name of 0"):
        load_hgcal(0, tables=tmp_path)


def test_unwritable_folder(tmp_path, showers, monkeypatch):
    monkeypatch.setattr("nas_fpga.data.hgcal._tables.read_showers", lambda _: _first(showers, 450))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written .*; give another folder"):
        write_tables(SHOWERS, LIBRARY, tmp_path / "file" / "sub", (0,))


def _first(showers, n):
    """Showers 1 to n of each class."""
    from dataclasses import replace

    chosen = np.sort(np.concatenate([np.flatnonzero(showers.pdg == pdg)[:n] for pdg in (11, -211)]))
    counts = np.diff(showers.offsets)[chosen]
    hits = np.concatenate([np.arange(showers.offsets[i], showers.offsets[i + 1]) for i in chosen])
    return replace(
        showers,
        offsets=np.concatenate(([0], np.cumsum(counts))),
        cell=showers.cell[hits],
        energy_mev=showers.energy_mev[hits],
        energy_gev=showers.energy_gev[chosen],
        pdg=showers.pdg[chosen],
        seed=showers.seed[chosen],
    )


def test_numbers_of_many_showers_and_high_energies_do_not_wrap():
    assert _compact(np.array([3, 65_535])).dtype == np.uint16
    many = _compact(np.array([3, 65_536]))
    assert many.dtype == np.uint32
    assert many.tolist() == [3, 65_536]

"""The vectorised trigger against its definition written out cell by cell, and against hand-made showers."""

import math

import numpy as np
import pytest

from nas_fpga.data.hgcal._detector import SUM_NAMES, SUM_STARTS, TRIGGER_LAYERS
from nas_fpga.data.hgcal._trigger import PileupSource, cluster_sums, emulate, shower_window

from .conftest import make_library, make_showers

EMPTY = make_library([(0, 12, 12, 0.0)])


def whole_layers(showers, index):
    """Energy in MIP (47, 24, 24), hit by hit."""
    energy = np.zeros((47, 24, 24))
    for k in range(showers.offsets[index], showers.offsets[index + 1]):
        layer, place = divmod(int(showers.cell[k]), 576)
        energy[layer, place // 24, place % 24] += float(showers.energy_mev[k]) / (0.0845 if layer < 33 else 0.50)
    return energy


def written_out(energy):
    """Cluster sums (15,) of one event of energies (47, 24, 24) in MIP, as the definition reads."""
    counting = np.where(energy < 1.35 * math.cosh(2.1), 0.0, energy)
    tower = counting[0:26:2].sum(axis=0)
    best, seed = -1.0, (0, 0)
    for x in range(9, 15):
        for y in range(9, 15):
            around = tower[x - 1 : x + 2, y - 1 : y + 2].sum()
            if around > best + 1e-9:
                best, seed = around, (x, y)
    x, y = seed
    layers = counting[:, x - 2 : x + 3, y - 2 : y + 3].sum(axis=(1, 2))
    return np.array([*layers[0:26:2], layers[26:33].sum(), layers[33:47].sum()])


class TestClusterSums:
    def test_equals_the_definition_on_real_showers(self, showers):
        for index in range(0, len(showers), 1000):
            window = shower_window(showers, index)
            rounded = np.zeros((47, 24, 24))
            rounded[np.ix_(TRIGGER_LAYERS, range(7, 17), range(7, 17))] = window / 8
            np.testing.assert_array_equal(cluster_sums(window[None])[0] / 8, written_out(rounded))

    def test_eighths_of_a_mip_are_invisible(self, showers):
        """Rounding hits to 1/8 MIP moves a layer sum by the odd cell at the threshold, nothing more."""
        for index in range(0, len(showers), 1000):
            exact = written_out(whole_layers(showers, index))
            stepped = cluster_sums(shower_window(showers, index)[None])[0] / 8
            assert np.abs(stepped - exact).max() < 6.5
            assert abs(stepped.sum() - exact.sum()) < 0.005 * exact.sum() + 6.5

    def test_calibrates_each_sensor_by_its_own_mip(self):
        # 8.45 MeV are 100 MIP in silicon; 50 MeV are 100 MIP in scintillator. CE-E layer 1 is not read.
        hits = [(0, 12, 12, 8.45), (1, 12, 12, 8.45), (2, 12, 12, 8.45), (26, 12, 12, 8.45), (33, 12, 12, 50.0)]
        sums = dict(zip(SUM_NAMES, cluster_sums(shower_window(make_showers(hits), 0)[None])[0] / 8, strict=True))
        assert sums["ce_e_01"] == sums["ce_e_03"] == sums["ce_h_silicon"] == 100
        assert sums["ce_h_scintillator"] == 100
        assert sum(sums.values()) == 400

    def test_a_cell_counts_from_the_threshold_on(self):
        # The threshold is 1.35 cosh(2.1) = 5.594 MIP: 5.5 MIP count nothing, 5.625 MIP count.
        below, above = ([(0, 12, 12, mip * 0.0845)] for mip in (5.5, 5.63))
        assert cluster_sums(shower_window(make_showers(below), 0)[None]).sum() == 0
        assert cluster_sums(shower_window(make_showers(above), 0)[None]).sum() == 45

    def test_cluster_is_five_by_five_around_the_seed(self):
        cross = [(4, 12 + dx, 12 + dy, 8.45) for dx, dy in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))]
        beside = [(6, 14, 14, 8.45), (6, 15, 12, 8.45)]  # two cells away belongs to it, three cells away does not
        sums = cluster_sums(shower_window(make_showers(cross + beside), 0)[None])[0] / 8
        assert sums[SUM_NAMES.index("ce_e_05")] == 500
        assert sums[SUM_NAMES.index("ce_e_07")] == 100

    def test_sums_cover_every_trigger_layer_once(self):
        assert len(TRIGGER_LAYERS) == 34
        assert list(np.diff([*SUM_STARTS, 34])) == [1] * 13 + [7, 14]
        assert TRIGGER_LAYERS[12] == 24
        assert TRIGGER_LAYERS[13] == 26
        assert TRIGGER_LAYERS[20] == 33


class TestPileupSource:
    def test_number_of_particles_and_density_are_those_asked(self):
        # One particle with one hit: each cell of the window holds 2.66e-4 / cm2 x 200 x 4.7 cm2 = 0.2505 of them.
        source = PileupSource(make_library([(0, 3, 7, 0.0845)]), np.array([0]))
        piled, n = source.overlay(200, 2000, np.random.default_rng(1))
        cell = 2.66e-4 * 200 * 2.17**2
        assert n / 2000 == pytest.approx(cell * 576, rel=4 / math.sqrt(cell * 576 * 2000))
        assert (piled[:, 1:] == 0).all()
        # every cell alike, also under the particle's own mirror images: 4.5 Poisson standard deviations
        mean = piled[:, 0].mean(axis=0) / 8
        assert np.abs(mean - cell).max() < 4.5 * math.sqrt(cell / 2000)

    def test_all_eight_orientations_appear_and_no_other(self):
        # An L of three energies: its orientation can be read off.
        source = PileupSource(
            make_library([(0, 12, 12, 0.0845), (0, 13, 12, 0.169), (0, 13, 13, 0.338)]), np.array([0])
        )
        rng = np.random.default_rng(2)
        seen = set()
        for _ in range(3000):
            piled, n = source.overlay(1, 1, rng)
            plane = piled[0, 0] // 8
            if n == 1 and plane.sum() == 7:
                a, b, c = (tuple(np.argwhere(plane == value)[0]) for value in (1, 2, 4))
                seen.add((b[0] - a[0], b[1] - a[1], c[0] - b[0], c[1] - b[1]))
        steps = [(1, 0), (-1, 0), (0, 1), (0, -1)]
        assert seen == {(*s, *t) for s in steps for t in steps if s[0] * t[0] + s[1] * t[1] == 0}

    def test_draws_only_members(self):
        library = make_library([(0, 5, 5, 0.0845)], [(2, 5, 5, 0.0845)], [(4, 5, 5, 0.0845)])
        piled, _ = PileupSource(library, np.array([0, 2])).overlay(200, 20, np.random.default_rng(3))
        per_layer = piled.sum(axis=(0, 2, 3))
        assert per_layer[1] == 0
        assert per_layer[0] > 0
        assert per_layer[2] > 0

    def test_no_pileup_places_nothing(self, library):
        piled, n = PileupSource(library, np.arange(len(library))).overlay(0, 3, np.random.default_rng(4))
        assert n == 0
        assert piled.shape == (3, 34, 10, 10)
        assert not piled.any()

    def test_energy_is_that_of_the_library(self, library):
        """Mean energy in the window equals particles x mean energy x share of the area (the layer is a torus)."""
        members = np.arange(len(library))
        piled, n = PileupSource(library, members).overlay(200, 2000, np.random.default_rng(5))
        layer = library.cell // 576
        mip = np.where(layer < 33, 0.0845, 0.50)
        read = np.isin(layer, TRIGGER_LAYERS)
        each = (library.energy_mev / mip)[read].sum() / len(library)
        # 3 %: rounding to eighths loses hits under 1/16 MIP (1 %), and energetic particles fluctuate
        assert piled.sum() / 8 / n == pytest.approx(each * 100 / 576, rel=0.03)


class TestEmulate:
    def test_noise_alone_never_passes_the_threshold(self):
        showers = make_showers([(0, 12, 12, 0.0)])
        source = PileupSource(EMPTY, np.array([0]))
        sums, _ = emulate(showers, 0, 0, 50, source, np.random.default_rng(1))
        assert not sums.any()

    def test_noise_has_the_stated_width(self):
        showers = make_showers([(0, 12, 12, 84.5)])  # 1,000 MIP
        sums, _ = emulate(showers, 0, 0, 4000, PileupSource(EMPTY, np.array([0])), np.random.default_rng(2))
        cell = sums[:, 0] / 8
        assert cell.mean() == pytest.approx(1000, abs=0.6)  # float16 energies are good to 0.5 MIP here
        assert cell.std() == pytest.approx(math.hypot(0.4, 1 / 8 / math.sqrt(12)), rel=0.05)

    def test_one_generator_gives_one_answer(self, showers, library):
        source = PileupSource(library, np.arange(len(library)))
        first, n = emulate(showers, 17, 200, 8, source, np.random.default_rng(3))
        again, m = emulate(showers, 17, 200, 8, source, np.random.default_rng(3))
        np.testing.assert_array_equal(first, again)
        assert n == m
        assert len(np.unique(first, axis=0)) == 8

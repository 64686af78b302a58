"""Grooming and features: against FastJet's contrib, and under what must not change them."""

import awkward as ak
import fastjet
import numpy as np
import pytest

from nas_fpga.data.jets import FEATURES
from nas_fpga.data.jets._clustering import find_jets, mmdt
from nas_fpga.data.jets._generator import compute_features
from nas_fpga.data.jets._kinematics import mass_squared

from .conftest import toy_jet

NAMES = [feature.name for feature in FEATURES]


def boosted(p, rapidity):
    """Boost along the beam."""
    cosh, sinh = np.cosh(rapidity), np.sinh(rapidity)
    return np.stack([p[:, 0], p[:, 1], cosh * p[:, 2] + sinh * p[:, 3], cosh * p[:, 3] + sinh * p[:, 2]], axis=1)


def rotated(p, angle):
    """Rotate about the beam."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([cos * p[:, 0] - sin * p[:, 1], sin * p[:, 0] + cos * p[:, 1], p[:, 2], p[:, 3]], axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_changes_under_rotations_about_the_beam(seed):
    p = toy_jet(np.random.default_rng(seed), 30)
    for angle in (0.3, 2.0, 3.2, -1.0):  # some across the seam at pi
        np.testing.assert_allclose(compute_features(rotated(p, angle)), compute_features(p), rtol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_only_zlogz_changes_under_boosts_along_the_beam(seed):
    p = toy_jet(np.random.default_rng(seed), 30)
    before = compute_features(p)
    for rapidity in (-1.5, 0.4, 1.0):
        after = compute_features(boosted(p, rapidity))
        np.testing.assert_allclose(after[1:], before[1:], rtol=1e-8)
        assert abs(after[0] / before[0] - 1) > 1e-6  # it is made of energies, not of transverse momenta


def test_scaling_all_energies_changes_the_mass_alone():
    p = toy_jet(np.random.default_rng(3), 25)
    factor = np.where(np.array(NAMES) == "mass_mmdt", 7.0, 1.0)
    np.testing.assert_allclose(compute_features(7 * p), factor * compute_features(p), rtol=1e-9)


def test_groomed_mass_is_that_of_fastjet_contrib():
    removed = 0
    for seed in range(40):
        p = toy_jet(np.random.default_rng(seed), 12)
        array = ak.zip(dict(zip(("px", "py", "pz", "E"), p.T, strict=True)), with_name="Momentum4D")
        sequence = fastjet.ClusterSequence(array, fastjet.JetDefinition(fastjet.cambridge_algorithm, 5.0))
        contrib = sequence.exclusive_jets_softdrop_grooming(njets=1, beta=0.0, symmetry_cut=0.3)
        kept = mmdt(p, z_cut=0.3)  # tight, so that something is dropped most of the time
        removed += len(kept) < len(p)
        own = np.sqrt(mass_squared(p[kept].sum(axis=0)))
        assert own == pytest.approx(float(np.squeeze(contrib.msoftdrop)), rel=1e-7, abs=1e-5)
    assert removed > 5


def test_grooming_drops_a_soft_far_branch_and_keeps_a_hard_one():
    def at(pt, eta):
        return [pt, 0.0, pt * np.sinh(eta), pt * np.cosh(eta)]

    two = [at(60, 0.0), at(35, 0.05)]
    assert sorted(mmdt(np.array([*two, at(5, 0.6)]))) == [0, 1]
    assert sorted(mmdt(np.array([*two, at(15, 0.6)]))) == [0, 1, 2]


def test_entropy_and_multiplicity_are_of_the_whole_jet():
    p = np.array([[10.0, 0, 0, 10]] * 4)
    features = dict(zip(NAMES, compute_features(p), strict=True))
    assert features["zlogz"] == pytest.approx(-np.log(4))
    assert features["multiplicity"] == 4
    assert features["mass_mmdt"] == pytest.approx(0, abs=1e-6)


def test_jets_are_selected_by_pt_and_eta():
    def at(pt, eta, phi):
        return [pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)]

    objects = np.array(
        [at(700, 0, 0), at(200, 0.1, 0.1), at(790, 1, 2), at(1700, -1, 2), at(1000, 2.6, -2), [5, 0, 0, 5]]
    )
    (jet,) = find_jets(objects)
    assert sorted(jet.constituents) == [0, 1, 5]
    assert jet.pt_gev == pytest.approx(np.hypot(*objects[[0, 1, 5], :2].sum(axis=0)))

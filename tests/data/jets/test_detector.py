"""What the detector does to particles."""

import numpy as np
import pytest

from nas_fpga.data.jets._detector import ECAL_CELL, detect, smear, sum_cells


def at(pt, eta, phi):
    return np.stack(np.broadcast_arrays(pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)), -1)


def test_response_has_mean_one_and_the_width_asked():
    p = np.tile(at(10.0, 0.5, 1.0), (40_000, 1))
    factor = smear(p, np.full(40_000, 0.3), np.random.default_rng(1))[:, 3] / p[:, 3]
    assert factor.mean() == pytest.approx(1, abs=0.006)  # four standard errors
    assert factor.std() == pytest.approx(0.3, rel=0.03)
    assert factor.min() > 0


def test_cells_keep_the_energy_and_merge_neighbours():
    p = at(np.array([5.0, 3.0, 2.0]), np.array([0.1, 0.1, 0.1]), np.array([1.0, 1.0001, 1.2]))
    cells = sum_cells(p, ECAL_CELL)
    assert len(cells) == 2
    assert cells[:, 3].sum() == pytest.approx(p[:, 3].sum())
    phi, eta = np.arctan2(cells[:, 1], cells[:, 0]), np.arctanh(cells[:, 2] / cells[:, 3])
    assert np.abs(phi - [1.0, 1.2]).max() < ECAL_CELL / 2
    assert np.abs(eta - 0.1).max() < ECAL_CELL / 2


@pytest.mark.parametrize(
    ("pdg", "pt", "eta", "seen"),
    [(12, 50, 0, 0), (211, 50, 3.4, 0), (211, 0.1, 0, 0), (211, 50, 3.2, 1), (-13, 50, 0, 1), (22, 50, 0, 1)],
    ids=["neutrino", "forward", "soft", "pion", "muon", "photon"],
)
def test_what_is_seen(pdg, pt, eta, seen):
    assert len(detect(np.array([pdg]), at(np.array([float(pt)]), float(eta), 0.3), np.random.default_rng(0))) == seen


def test_tracks_are_precise_and_hadrons_are_not():
    def spread(pdg, pt):
        rng = np.random.default_rng(2)
        found = [detect(np.array([pdg]), at(np.array([pt]), 0.0, 0.3), rng)[0, 3] / pt for _ in range(400)]
        return np.std(found)

    assert spread(211, 50.0) == pytest.approx(np.hypot(0.0125, 0.015), rel=0.15)
    assert spread(22, 50.0) == pytest.approx(0.0095, rel=0.3)
    assert spread(2112, 50.0) == pytest.approx(np.hypot(1.2 * np.sqrt(7 / 50), 0.05), rel=0.15)
    assert spread(11, 300.0) == pytest.approx(np.hypot(0.075, 0.015), rel=0.15)
    assert spread(211, 300.0) == pytest.approx(np.hypot(1.2 * np.sqrt(7 / 300), 0.05), rel=0.15)  # has no track

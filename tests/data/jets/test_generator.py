"""The generator itself, on few jets."""

import numpy as np
import pytest

from nas_fpga.data.jets import CLASS_NAMES, FEATURES, JET_CLASSES
from nas_fpga.data.jets._generator import Event, _pythia_events, generate
from nas_fpga.data.jets._physics_checks import POLE_MASSES_GEV, peak_gev

MASS = [feature.name for feature in FEATURES].index("mass_mmdt")


@pytest.mark.parametrize(("name", "tolerance"), [("W", 0.05), ("Z", 0.05), ("top", 0.06)])
def test_bosons_and_tops_peak_at_their_masses(fresh, name, tolerance):
    # 40 jets with a resolution of 5 to 8 %: about a quarter of the tolerance is statistics, the rest is the detector
    mass = fresh[CLASS_NAMES.index(name)].features[:, MASS].astype(np.float64)
    assert peak_gev(mass, POLE_MASSES_GEV[name]) == pytest.approx(POLE_MASSES_GEV[name], rel=tolerance)


def test_gluons_have_more_constituents_than_quarks(fresh):
    multiplicity = [jets.features[:, -1].mean() for jets in fresh]
    assert multiplicity[0] > 1.3 * multiplicity[1]


def test_jets_are_within_the_selection(fresh):
    for label, jets in enumerate(fresh):
        assert ((jets.pt_gev > 800) & (jets.pt_gev < 1600)).all()
        assert (jets.labels == label).all()
        assert (np.diff(jets.events) >= 0).all()
        assert np.isfinite(jets.features).all()


def test_fewer_jets_are_the_first_of_more(fresh):
    few = generate(1, 3, 7)
    np.testing.assert_array_equal(few.features, fresh[3].features[:7])
    np.testing.assert_array_equal(few.events, fresh[3].events[:7])


def test_another_stream_gives_other_jets(fresh):
    other = generate(2, 3, 7)
    assert not np.isin(other.features[:, 0], fresh[3].features[:, 0]).any()
    assert not np.isin(other.events, fresh[3].events).any()


def test_tops_decay_to_three_quarks_of_their_momentum():
    event = next(_pythia_events(JET_CLASSES[CLASS_NAMES.index("top")], 1))
    tops = np.flatnonzero((event.mother == 3) & (np.abs(event.pdg) == 6))
    assert len(tops) == 2
    for top in tops:
        last, children = event.decay(int(top))
        assert event.pdg[last] == event.pdg[top]
        assert 24 in np.abs(event.pdg[children])
        quarks = event.decay_quarks(int(top))
        assert (np.abs(event.pdg[quarks]) <= 5).all()
        assert len(quarks) == 3


def test_last_copy_is_followed_through_the_record():
    # 0 -> copy 1 -> W 2 and b 3; the W -> copy 4 -> quarks 5 and 6
    event = Event(
        pdg=np.array([6, 6, 24, 5, 24, 1, -2]),
        status=np.zeros(7, np.int64),
        mother=np.zeros(7, np.int64),
        daughters=np.array([[1, 1], [2, 3], [4, 4], [0, 0], [5, 6], [0, 0], [0, 0]]),
        p=np.zeros((7, 4)),
    )
    assert event.decay(0)[0] == 1
    assert event.decay_quarks(0) == [5, 6, 3]

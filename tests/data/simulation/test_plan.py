import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_fpga.data.simulation import Plan
from nas_fpga.data.simulation._plan import CHUNK_SHOWERS
from nas_fpga.errors import InputError


@given(st.integers(1, 500))
def test_chunks_hold_every_shower_once(showers):
    chunks = Plan(showers).chunks()
    assert [number for chunk in chunks for number in chunk] == list(range(showers))
    assert {len(chunk) for chunk in chunks[:-1]} <= {CHUNK_SHOWERS}


@given(
    st.integers(1, 60), st.integers(0, 100), st.integers(0, 2**31 - 1), st.sampled_from(["electron", "pion", "both"])
)
@settings(max_examples=30)
def test_a_run_is_a_prefix_of_a_longer_one(showers, more, seed, particle):
    short, long = Plan(showers, particle, seed=seed), Plan(showers + more, particle, seed=seed)
    for one, other in zip(short.chunks(), long.chunks(), strict=False):
        a, b = short.primaries(one), long.primaries(other)
        for name in ("pdg", "energy_gev", "impact_mm"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name)[: len(a)])
        assert short.engine_seed(one) == long.engine_seed(other)


def test_seeds_differ_between_chunks_and_runs():
    plans = [Plan(2_000, seed=seed) for seed in range(5)]
    seeds = [plan.engine_seed(chunk) for plan in plans for chunk in plan.chunks()]
    assert len(set(seeds)) == len(seeds) == 500
    assert min(seeds) >= 1
    assert max(seeds) < 2**31
    first = np.concatenate([plan.primaries(plan.chunks()[0]).energy_gev for plan in plans])
    assert len(set(first.tolist())) == 100


def test_the_plan_is_pinned():
    """Other numbers here mean that a seed no longer gives the showers it gave."""
    plan = Plan(25, seed=1)
    first, second = plan.chunks()
    assert (plan.engine_seed(first), plan.engine_seed(second)) == (823424620, 589668879)
    np.testing.assert_allclose(plan.primaries(first).energy_gev[:3], [140.25613, 32.158245, 25.340796], rtol=1e-6)
    np.testing.assert_allclose(plan.primaries(second).impact_mm[4], [6.472293, 0.8603733], rtol=1e-6)


def test_energies_are_even_in_the_logarithm_and_impacts_in_the_cell():
    plan = Plan(4_000, energy_gev=(10, 200), seed=3)
    every = [plan.primaries(chunk) for chunk in plan.chunks()]
    energy = np.concatenate([p.energy_gev for p in every])
    impact = np.concatenate([p.impact_mm for p in every])
    assert energy.min() >= 10
    assert energy.max() <= 200
    shares, _ = np.histogram(np.log(energy), bins=4, range=(np.log(10), np.log(200)))
    np.testing.assert_allclose(shares, 1_000, atol=4 * 27)  # four standard errors of a binomial share
    assert np.abs(impact).max() <= 10.85
    np.testing.assert_allclose(impact.mean(axis=0), 0, atol=4 * 21.7 / np.sqrt(12 * 4_000))
    np.testing.assert_allclose(impact.std(axis=0), 21.7 / np.sqrt(12), rtol=0.05)


@pytest.mark.parametrize(
    ("particle", "expected"), [("electron", [11] * 4), ("pion", [-211] * 4), ("both", [11, -211, 11, -211])]
)
def test_particles(particle, expected):
    plan = Plan(24, particle)
    first, second = plan.chunks()
    assert plan.primaries(first).pdg[:4].tolist() == expected
    assert plan.primaries(second).pdg.tolist() == expected


def test_one_energy_can_be_asked_for():
    plan = Plan(5, energy_gev=(50, 50))
    np.testing.assert_allclose(plan.primaries(plan.chunks()[0]).energy_gev, 50, rtol=1e-6)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"showers": 0}, "0 showers are none; give at least 1"),
        ({"particle": "muon"}, "unknown particle 'muon'; choose one of electron, pion, both"),
        ({"energy_gev": (50.0, 20.0)}, "energies of 50 to 20 GeV; give two ascending"),
        ({"energy_gev": (0.0, 20.0)}, "energies of 0 to 20 GeV"),
        ({"energy_gev": (float("nan"), 20.0)}, "energies of nan to 20 GeV"),
        ({"seed": -1}, "seed -1 is out of range; give one from 0"),
    ],
)
def test_refused(changed, said):
    with pytest.raises(InputError, match=said):
        Plan(**{"showers": 10} | changed)

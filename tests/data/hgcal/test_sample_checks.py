"""The checks for samples of any size, on parts of the shipped showers, whose properties are known."""

from dataclasses import replace

import numpy as np
import pytest

from nas_fpga.data.hgcal import Showers, physics_checks, sample_checks


def part(showers: Showers, numbers: np.ndarray) -> Showers:
    hits = np.concatenate([np.arange(showers.offsets[i], showers.offsets[i + 1]) for i in numbers])
    return Showers(
        offsets=np.concatenate(([0], np.cumsum(np.diff(showers.offsets)[numbers]))),
        cell=showers.cell[hits],
        energy_mev=showers.energy_mev[hits],
        energy_gev=showers.energy_gev[numbers],
        pdg=showers.pdg[numbers],
        seed=showers.seed[numbers],
        depth=showers.depth,
    )


def draw(showers: Showers, each: int, seed: int) -> Showers:
    """Return so many showers of each kind from the runs of 10 to 200 GeV."""
    rng = np.random.default_rng(seed)
    wide = showers.seed < 5000
    return part(
        showers,
        np.concatenate([rng.choice(np.flatnonzero(wide & (showers.pdg == pdg)), each, False) for pdg in (11, -211)]),
    )


@pytest.mark.parametrize("each", [20, 60, 300])
def test_parts_of_good_showers_pass(showers, each):
    """Three standard errors are exceeded by chance now and then, in more than one check of a hundred they are not."""
    checks = [check for seed in range(4) for check in sample_checks(draw(showers, each, seed), showers)]
    failed = [check for check in checks if not check.passed]
    assert len(checks) > 40
    assert len(failed) <= 0.015 * len(checks), failed


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize(
    ("wrong", "noticed"),
    [
        (lambda s: replace(s, energy_mev=(s.energy_mev * np.float16(1.15)).astype(np.float16)), "electron response"),
        (lambda s: replace(s, energy_mev=(s.energy_mev * np.float16(1.15)).astype(np.float16)), "electrons against"),
        (lambda s: replace(s, depth=s.depth + np.array([1.5, 0, 0])), "electron shower maximum at"),
        (lambda s: replace(s, pdg=np.where(s.pdg == 11, -211, 11).astype(np.int16)), "pions against"),
        (lambda s: replace(s, pdg=np.full(len(s), -211, np.int16)), "pions showering within the first 14 layers"),
    ],
)
def test_wrong_showers_are_noticed(showers, wrong, noticed):
    failed = [check.name for check in sample_checks(wrong(draw(showers, 150, 1)), showers) if not check.passed]
    assert any(name.startswith(noticed) for name in failed), failed


def test_ranges_are_those_of_the_full_checks_widened(showers):
    full = {check.name.split(" at ")[0]: check for check in physics_checks(showers)}
    for check in sample_checks(draw(showers, 400, 2)):
        known = full[check.name.split(" at ")[0]]
        if check.name == "silicon MIP (keV)":
            assert (check.low, check.high) == (known.low, known.high)
        else:
            assert check.high - check.low > known.high - known.low
            assert check.high - check.low < 6 * (known.high - known.low)
    eight = next(c for c in sample_checks(draw(showers, 400, 2)) if "first 8 layers" in c.name)
    n = int((draw(showers, 400, 2).energy_gev[400:] > 41).sum())
    assert eight.high == pytest.approx(0.34 + 3 * np.sqrt(0.31 * 0.69 / n))


def test_what_a_sample_is_too_small_for_is_left_out(showers):
    def names(each: int, reference: Showers | None = None) -> set[str]:
        return {check.name.split(" at ")[0] for check in sample_checks(draw(showers, each, 4), reference)}

    assert names(9, showers) == set()
    assert "electron response of CE-E (MIP/GeV)" in names(10)
    assert not any("resolution" in name for name in names(29))
    assert any("resolution" in name for name in names(30))
    assert "silicon MIP (keV)" not in names(299)
    assert "silicon MIP (keV)" in names(300)
    assert not any("reference" in name for name in names(300))


def test_showers_of_one_energy_make_one_bin(showers):
    sample = draw(showers, 60, 6)
    alike = replace(sample, energy_gev=np.full(len(sample), 60, np.float32))
    names = [check.name for check in sample_checks(alike, showers)]
    assert [name for name in names if "maximum at" in name] == ["electron shower maximum at 60 GeV (X0)"]


def test_energies_out_of_range_are_not_checked(showers):
    sample = draw(showers, 50, 5)
    assert sample_checks(replace(sample, energy_gev=sample.energy_gev * np.float32(1000)), showers) == []

from dataclasses import replace

import numpy as np
import pytest

from nas_fpga.data.hgcal._physics_checks import (
    Check,
    first_interaction_layer,
    fit_gamma,
    layer_energies_mip,
    physics_checks,
)


@pytest.fixture(scope="module")
def checks(showers) -> list[Check]:
    return physics_checks(showers)


def test_the_packed_showers_pass_every_check(checks):
    failed = [f"{c.name}: {c.value:.4g} not in {c.low:.4g} to {c.high:.4g}" for c in checks if not c.passed]
    assert not failed
    assert len(checks) == 4 + 5 * 2 + 4 + 5 + 6


@pytest.mark.filterwarnings("ignore:invalid value")  # a figure that makes no sense is nan, which does not pass
def test_the_checks_notice_wrong_showers(showers, checks):
    """A wrong calibration, swapped classes or a shifted layer must not pass."""

    def failing(wrong):
        return {c.name for c in physics_checks(wrong) if not c.passed}

    louder = replace(showers, energy_mev=(showers.energy_mev * np.float16(1.1)).astype(np.float16))
    assert {"silicon MIP (keV)", "electron response of CE-E (MIP/GeV)"} <= failing(louder)
    deeper = replace(showers, depth=showers.depth + np.array([1.0, 0, 0]))
    assert any("shower maximum at" in name for name in failing(deeper))
    swapped = replace(showers, pdg=np.where(showers.pdg == 11, -211, 11).astype(np.int16))
    assert len(failing(swapped)) > 12


def test_layer_energies_hold_all_the_energy(showers):
    layers = layer_energies_mip(showers)
    index = 4321
    part = slice(showers.offsets[index], showers.offsets[index + 1])
    energy, layer = showers.energy_mev[part].astype(float), showers.cell[part] // 576
    for probe in (0, 10, 30, 40):
        expected = energy[layer == probe].sum() / (0.0845 if probe < 33 else 0.50)
        assert layers[index, probe] == pytest.approx(expected, rel=1e-9)


def test_gamma_fit_recovers_its_own_curve():
    t = np.linspace(0.5, 27, 26)
    maximum, b = fit_gamma(t, 70.0 * t**3.4 * np.exp(-0.52 * t))
    assert maximum == pytest.approx(3.4 / 0.52, rel=1e-6)
    assert b == pytest.approx(0.52, rel=1e-6)


def test_first_interaction_needs_two_layers():
    layers = np.ones((3, 47))
    layers[0, [5, 9, 10]] = 20  # a single spike in layer 5 is no interaction
    layers[1, 0:47] = 13
    assert list(first_interaction_layer(layers)) == [9, 0, 47]

"""The stack against the Review of Particle Physics, without Geant4; its depths in Geant4 are in test_geant4.py."""

from __future__ import annotations

import pytest

from nas_fpga.data.hgcal._detector import CELL_CM, FIRST_SCINTILLATOR, N_CE_E, N_LAYERS
from nas_fpga.data.simulation import MATERIALS, stack

# Review of Particle Physics, atomic and nuclear properties of materials: radiation length and nuclear interaction
# length in g/cm2.
LENGTHS_G_CM2 = {
    "H": (63.04, 52.0),
    "C": (42.70, 85.8),
    "O": (34.24, 90.2),
    "Si": (21.82, 108.4),
    "Fe": (13.84, 132.1),
    "Cr": (14.94, 129.8),
    "Ni": (12.68, 134.1),
    "Cu": (12.86, 137.3),
    "W": (6.76, 191.9),
    "Pb": (6.37, 199.6),
    "air": (36.62, 90.1),
    "polyvinyltoluene": (43.90, 81.3),
}
ATOMIC_MASS = {"H": 1.008, "C": 12.011, "O": 15.999, "Si": 28.085}
# What the NIST materials are: density in g/cm3 and shares of the mass (steel: 74 Fe, 18 Cr, 8 Ni atoms).
NIST = {
    "G4_AIR": (1.205e-3, {"air": 1.0}),
    "G4_Cu": (8.96, {"Cu": 1.0}),
    "G4_Pb": (11.35, {"Pb": 1.0}),
    "G4_Si": (2.33, {"Si": 1.0}),
    "G4_STAINLESS-STEEL": (8.00, {"Fe": 0.746, "Cr": 0.169, "Ni": 0.085}),
    "G4_PLASTIC_SC_VINYLTOLUENE": (1.032, {"polyvinyltoluene": 1.0}),
}


def per_mm(name: str) -> tuple[float, float]:
    """Return radiation and interaction lengths that a millimetre of a material holds."""
    material = MATERIALS[name]
    if material.nist:
        density, fractions = NIST[material.nist]
    else:
        density, fractions = material.density_g_cm3, dict(material.mass_fractions)
        masses = {element: n * ATOMIC_MASS[element] for element, n in material.atoms}
        fractions |= {element: mass / sum(masses.values()) for element, mass in masses.items()}
    assert sum(fractions.values()) == pytest.approx(1)
    radiation, interaction = (
        sum(fraction / LENGTHS_G_CM2[part][k] for part, fraction in fractions.items()) for k in (0, 1)
    )
    return density * radiation / 10, density * interaction / 10


def depths() -> list[tuple[float, float, int]]:
    """Return depths behind every plate, and the sensors passed."""
    reached, sensors = [(0.0, 0.0, 0)], 0
    for plate in stack():
        radiation, interaction = per_mm(plate.material)
        sensors += plate.sensor
        x0, lam, _ = reached[-1]
        reached.append((x0 + plate.thickness_mm * radiation, lam + plate.thickness_mm * interaction, sensors))
    return reached


def test_sensors_are_those_of_the_detector():
    sensors = [plate for plate in stack() if plate.sensor]
    assert len(sensors) == N_LAYERS == 47
    assert {plate.material for plate in sensors[:FIRST_SCINTILLATOR]} == {"silicon"}
    assert {plate.material for plate in sensors[FIRST_SCINTILLATOR:]} == {"scintillator"}
    assert {plate.thickness_mm for plate in sensors} == {0.3, 3.0}
    assert abs(CELL_CM**2 - 4.7) < 0.01  # cm2, a trigger cell


def test_every_material_is_used_and_known():
    assert {plate.material for plate in stack()} == set(MATERIALS)


def test_ce_e_is_as_deep_as_its_design():
    """27.0 radiation lengths and 1.4 interaction lengths to the last CE-E sensor and its cassette."""
    x0, lam, _ = max(depth for depth in depths() if depth[2] == N_CE_E and depth[0] < 28)
    assert x0 == pytest.approx(27.0, abs=0.1)
    assert lam == pytest.approx(1.4, abs=0.05)


def test_the_whole_is_nine_interaction_lengths_deep():
    *_, (x0, lam, sensors) = depths()
    assert sensors == 47
    assert lam == pytest.approx(9.1, abs=0.2)  # Geant4's own interaction lengths are some per cent longer than PDG's
    assert x0 == pytest.approx(101, abs=1)


def test_cassettes_of_ce_e_are_as_thick_as_in_the_source():
    """The CMS geometry gives 28.37, 30.57 and 33.82 mm; here the air of each cassette is 0.05 mm less."""
    plates = stack()
    per_cassette = 16
    thick = [sum(p.thickness_mm for p in plates[k * per_cassette : (k + 1) * per_cassette]) for k in range(13)]
    assert thick == pytest.approx([28.32, *[30.52] * 8, *[33.77] * 4])
    assert sum(p.thickness_mm for p in plates if p.material == "lead") == pytest.approx(2.77 + 8 * 4.97 + 4 * 8.22)

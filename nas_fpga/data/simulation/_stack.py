"""The calorimeter as a table: every plate that a particle meets, front to back, and what it is made of.

Source of the materials and thicknesses: the CMS software (github.com/cms-sw/cmssw), ``Geometry/HGCalCommonData/data``,
version v17 of ``hgcalEE``, ``hgcalHEsil`` and ``hgcalHEmix``. Simplified: the plates are flat and as wide as the
sensors; all silicon is 0.3 mm thick; each CE-H layer has one kind of sensor; the electronics' air gaps are one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Material:
    """A material, either one of Geant4's NIST table or a mixture of elements.

    Attributes:
        nist: Name in Geant4's NIST table; empty for a mixture.
        density_g_cm3: Of a mixture.
        mass_fractions: Elements of a mixture and their shares of its mass.
        atoms: Elements of a mixture and their numbers of atoms, in place of shares.
    """

    nist: str = ""
    density_g_cm3: float = 0.0
    mass_fractions: tuple[tuple[str, float], ...] = ()
    atoms: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Plate:
    """One plate of the stack.

    Attributes:
        material: A key of :data:`MATERIALS`.
        thickness_mm: Along the beam.
        sensor: Whether the energy left in it is read out, in square cells.
    """

    material: str
    thickness_mm: float
    sensor: bool = False


MATERIALS = {
    "air": Material("G4_AIR"),
    "copper": Material("G4_Cu"),
    "lead": Material("G4_Pb"),
    "steel": Material("G4_STAINLESS-STEEL"),
    "silicon": Material("G4_Si"),
    "scintillator": Material("G4_PLASTIC_SC_VINYLTOLUENE"),
    "copper-tungsten": Material(density_g_cm3=14.98, mass_fractions=(("W", 0.75), ("Cu", 0.25))),
    "circuit board": Material(density_g_cm3=1.70, atoms=(("Si", 1), ("O", 2), ("C", 3), ("H", 3))),
    "epoxy": Material(density_g_cm3=1.30, atoms=(("C", 15), ("H", 44), ("O", 7))),
}

_SILICON = Plate("silicon", 0.3, sensor=True)
_SCINTILLATOR = Plate("scintillator", 3.0, sensor=True)

# CE-E: cassettes of a lead absorber clad in copper and steel, then a copper cooling plate with a module on either side.
_CLADDING = (Plate("copper", 0.1), Plate("steel", 0.3), Plate("epoxy", 0.05))
_MODULE = (Plate("air", 6.0), Plate("circuit board", 1.6), _SILICON, Plate("copper-tungsten", 1.4))
_COOLING = Plate("copper", 6.05)
_LEAD_MM = (2.77, *[4.97] * 8, *[8.22] * 4)
"""Lead of the 13 cassettes, each of which carries two layers."""
_BACK_COVER = Plate("steel", 1.0)

# CE-H: a steel absorber, a gap, the cassette's steel cover, then circuit board, sensor and copper cooling plate.
_ABSORBER_MM = (45.0, *[41.5] * 10, *[60.7] * 10)
"""Steel of the 21 layers; the first holds the back plate of CE-E too."""
_N_SILICON_CE_H = 7


def stack() -> tuple[Plate, ...]:
    """Return all plates in the order in which a particle from the front meets them: 47 of them are sensors."""
    plates: list[Plate] = []
    for lead_mm in _LEAD_MM:
        plates += [*_CLADDING, Plate("lead", lead_mm), *reversed(_CLADDING)]
        plates += [*_MODULE, _COOLING, *reversed(_MODULE)]
    plates.append(_BACK_COVER)
    for number, steel_mm in enumerate(_ABSORBER_MM):
        sensor = _SILICON if number < _N_SILICON_CE_H else _SCINTILLATOR
        plates += [Plate("steel", steel_mm), Plate("air", 4.0), Plate("steel", 2.5)]
        plates += [Plate("circuit board", 1.6), sensor, Plate("copper", 6.35)]
    return tuple(plates)

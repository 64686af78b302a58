"""The calorimeter in Geant4: geometry, physics, scoring, and one run. The binding is imported here and nowhere else.

Geant4 can be set up once in a process, so every run has a process of its own, whose environment was set beforehand (see
``_physics_tables``). Traps of the binding that shaped this module:

- objects that only Geant4 holds are collected by Python unless they are kept;
- what the physics list factory returns cannot be handed to the run manager: the list is composed here;
- cuts set on the list are lost; the interface's command sets them after initialisation;
- a step callback in Python costs more than the physics: Geant4's own scorer adds up the energies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geant4_pybind as g4
import numpy as np
from numpy.typing import NDArray

from nas_fpga.data.hgcal._detector import CELL_CM, N_SIDE
from nas_fpga.data.simulation._plan import Primaries
from nas_fpga.data.simulation._stack import MATERIALS, Material, Plate, stack

CUT_MM, SENSOR_CUT_MM = 1.0, 0.1
"""Range below which secondaries are not produced but leave their energy on the spot."""
_CELL_MM = 10 * CELL_CM
_HALF_MM = _CELL_MM * N_SIDE / 2
_GUN_MM = 10.0  # in front of the first plate
_SCORER = "energy"
PHYSICS = (
    g4.G4EmStandardPhysics,  # option 0; option 1 deposits 14 % less in thin silicon
    g4.G4EmExtraPhysics,
    g4.G4DecayPhysics,
    g4.G4HadronElasticPhysics,
    g4.G4HadronPhysicsFTFP_BERT,
    g4.G4StoppingPhysics,
    g4.G4IonPhysics,
    g4.G4NeutronTrackingCut,
)
"""The parts that Geant4's FTFP_BERT consists of."""


def make_materials() -> dict[str, Any]:
    """Return the Geant4 material of each of :data:`MATERIALS`."""
    return {name: _make_material(name, material) for name, material in MATERIALS.items()}


def layer_depths(materials: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the depths `(47, 3)` of the middles of the sensors.

    In radiation lengths, in nuclear interaction lengths, and as z in mm from the middle of the stack.
    """
    radiation = interaction = 0.0
    z_mm = -_depth_mm() / 2
    depths = []
    for plate in stack():
        material, t = materials[plate.material], plate.thickness_mm
        x0_mm, lambda_mm = material.GetRadlen(), material.GetNuclearInterLength()
        if plate.sensor:
            depths.append((radiation + t / 2 / x0_mm, interaction + t / 2 / lambda_mm, z_mm + t / 2))
        radiation, interaction, z_mm = radiation + t / x0_mm, interaction + t / lambda_mm, z_mm + t
    return np.array(depths)


def run(primaries: Primaries, engine_seed: int) -> tuple[list[dict[int, float]], NDArray[np.float64]]:
    """Simulate the showers of these particles. May be called once in a process.

    Args:
        primaries: The particles.
        engine_seed: Of Geant4's random engine.

    Returns:
        For each shower the deposited energy in MeV of every cell that was hit, and :func:`layer_depths`.
    """
    g4.G4Random.setTheSeed(engine_seed)
    manager = g4.G4RunManagerFactory.CreateRunManager(g4.G4RunManagerType.Serial)
    detector, physics = _Detector(), _Physics()
    actions = _Actions(primaries)
    for part in (detector, physics, actions):
        manager.SetUserInitialization(part)
    interface = g4.G4UImanager.GetUIpointer()
    g4.G4EmParameters.Instance().SetVerbose(0)
    for command in ("/process/em/verbose 0", "/process/had/verbose 0"):
        interface.ApplyCommand(command)
    manager.Initialize()
    for command in (f"/run/setCut {CUT_MM} mm", f"/run/setCutForRegion sensors {SENSOR_CUT_MM} mm"):
        interface.ApplyCommand(command)
    manager.BeamOn(len(primaries))
    return actions.events.hits, layer_depths(detector.materials)


def _depth_mm() -> float:
    return sum(plate.thickness_mm for plate in stack())


def _make_material(name: str, material: Material) -> Any:
    nist = g4.G4NistManager.Instance()
    if material.nist:
        return nist.FindOrBuildMaterial(material.nist)
    n_elements = len(material.mass_fractions) + len(material.atoms)
    made = g4.G4Material(name, material.density_g_cm3 * g4.g / g4.cm3, n_elements)
    for element, fraction in material.mass_fractions:
        made.AddElementByMassFraction(nist.FindOrBuildElement(element), fraction)
    for element, number in material.atoms:
        made.AddElementByNumberOfAtoms(nist.FindOrBuildElement(element), number)
    return made


class _Detector(g4.G4VUserDetectorConstruction):  # type: ignore[misc]
    """Plates behind each other in air; the sensors are cut into cells."""

    def Construct(self) -> Any:  # noqa: N802
        """Build the geometry and return the world."""
        self.materials = make_materials()
        self.kept: list[Any] = []
        depth = _depth_mm()
        world = self._box("world", _HALF_MM + 50, _HALF_MM + 50, depth / 2 + 100, "air")
        self.world = g4.G4PVPlacement(None, g4.G4ThreeVector(), world, "world", None, False, 0)
        volumes: dict[Plate, Any] = {}
        self.cells: dict[str, Any] = {}
        region = g4.G4Region("sensors")
        z_mm, layer = -depth / 2, 0
        for plate in stack():
            middle = g4.G4ThreeVector(0, 0, z_mm + plate.thickness_mm / 2)
            z_mm += plate.thickness_mm
            if plate.material == "air":
                continue
            if plate not in volumes:
                volumes[plate] = self._box(plate.material, _HALF_MM, _HALF_MM, plate.thickness_mm / 2, plate.material)
                if plate.sensor:
                    self.cells[plate.material] = self._cut(volumes[plate], plate)
                    region.AddRootLogicalVolume(volumes[plate])
            placed = g4.G4PVPlacement(None, middle, volumes[plate], plate.material, world, False, layer)
            self.kept.append(placed)
            layer += plate.sensor
        self.kept += [region, volumes]
        return self.world

    def ConstructSDandField(self) -> None:  # noqa: N802
        """Score the energy in every cell: layer, column and row are copy numbers two, one and no levels up."""
        for name, cell in self.cells.items():
            sensitive, scorer = g4.G4MultiFunctionalDetector(name), g4.G4PSEnergyDeposit3D(_SCORER, 1, N_SIDE, N_SIDE)
            sensitive.RegisterPrimitive(scorer)
            g4.G4SDManager.GetSDMpointer().AddNewDetector(sensitive)
            self.SetSensitiveDetector(cell, sensitive)
            self.kept += [sensitive, scorer]

    def _box(self, name: str, x_mm: float, y_mm: float, z_mm: float, material: str) -> Any:
        return g4.G4LogicalVolume(g4.G4Box(name, x_mm, y_mm, z_mm), self.materials[material], name)

    def _cut(self, sensor: Any, plate: Plate) -> Any:
        """Cut a sensor into columns and these into cells; return the cell."""
        half, name = plate.thickness_mm / 2, plate.material
        column = self._box(f"{name} column", _CELL_MM / 2, _HALF_MM, half, name)
        cell = self._box(f"{name} cell", _CELL_MM / 2, _CELL_MM / 2, half, name)
        for inner, outer, axis in ((column, sensor, g4.EAxis.kXAxis), (cell, column, g4.EAxis.kYAxis)):
            self.kept += [inner, g4.G4PVReplica(name, inner, outer, axis, N_SIDE, _CELL_MM, 0)]
        return cell


class _Physics(g4.G4VModularPhysicsList):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.SetVerboseLevel(0)
        self.SetDefaultCutValue(CUT_MM * g4.mm)
        for part in PHYSICS:
            self.RegisterPhysics(part())


class _Beam(g4.G4VUserPrimaryGeneratorAction):  # type: ignore[misc]
    """Shoots the particles one after the other, straight at the first plate."""

    def __init__(self, primaries: Primaries) -> None:
        super().__init__()
        self.primaries, self.gun = primaries, g4.G4ParticleGun(1)
        self.z_mm = -_depth_mm() / 2 - _GUN_MM

    def GeneratePrimaries(self, event: Any) -> None:  # noqa: N802
        number = event.GetEventID()
        x_mm, y_mm = map(float, self.primaries.impact_mm[number])
        particle = g4.G4ParticleTable.GetParticleTable().FindParticle(int(self.primaries.pdg[number]))
        self.gun.SetParticleDefinition(particle)
        self.gun.SetParticleEnergy(float(self.primaries.energy_gev[number]) * g4.GeV)
        self.gun.SetParticlePosition(g4.G4ThreeVector(x_mm, y_mm, self.z_mm))
        self.gun.SetParticleMomentumDirection(g4.G4ThreeVector(0, 0, 1))
        self.gun.GeneratePrimaryVertex(event)


class _Events(g4.G4UserEventAction):  # type: ignore[misc]
    """Takes the scored energies of each event; Geant4 frees them at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.hits: list[dict[int, float]] = []

    def EndOfEventAction(self, event: Any) -> None:  # noqa: N802
        scored, manager = event.GetHCofThisEvent(), g4.G4SDManager.GetSDMpointer()
        sensors = dict.fromkeys(plate.material for plate in stack() if plate.sensor)
        maps = [scored.GetHC(manager.GetCollectionID(f"{sensor}/{_SCORER}")) for sensor in sensors]
        self.hits.append({int(cell): float(energy) for hits in maps for cell, energy in hits})


class _Actions(g4.G4VUserActionInitialization):  # type: ignore[misc]
    def __init__(self, primaries: Primaries) -> None:
        super().__init__()
        self.primaries = primaries

    def Build(self) -> None:  # noqa: N802
        # Not made before: Geant4 wants to have the physics list first.
        self.beam, self.events = _Beam(self.primaries), _Events()
        self.SetUserAction(self.beam)
        self.SetUserAction(self.events)

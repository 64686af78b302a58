"""New calorimeter showers with Geant4, in the format that the `hgcal` tables derive from."""

from nas_fpga.data.simulation._physics_tables import TABLE_SETS, TableSet, find_tables
from nas_fpga.data.simulation._plan import PARTICLES, Plan, Primaries
from nas_fpga.data.simulation._run import chunk_folder, done_showers, simulate
from nas_fpga.data.simulation._stack import MATERIALS, Material, Plate, stack

__all__ = [
    "MATERIALS",
    "PARTICLES",
    "TABLE_SETS",
    "Material",
    "Plan",
    "Plate",
    "Primaries",
    "TableSet",
    "chunk_folder",
    "done_showers",
    "find_tables",
    "simulate",
    "stack",
]

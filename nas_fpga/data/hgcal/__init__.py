"""The reference task: electron and pion showers in the CMS HGCAL trigger, from simulated hits to a `Dataset`."""

from nas_fpga.data.hgcal._physics_checks import Check, physics_checks
from nas_fpga.data.hgcal._sample_checks import sample_checks
from nas_fpga.data.hgcal._showers import PileupLibrary, Showers, read_pileup_library, read_showers
from nas_fpga.data.hgcal._tables import (
    FEATURE_SETS,
    HGCAL_SEED,
    HgcalTable,
    derive_hgcal,
    load_hgcal,
    table_path,
    write_tables,
)
from nas_fpga.data.hgcal._trigger import PILEUPS

__all__ = [
    "FEATURE_SETS",
    "HGCAL_SEED",
    "PILEUPS",
    "Check",
    "HgcalTable",
    "PileupLibrary",
    "Showers",
    "derive_hgcal",
    "load_hgcal",
    "physics_checks",
    "read_pileup_library",
    "read_showers",
    "sample_checks",
    "table_path",
    "write_tables",
]

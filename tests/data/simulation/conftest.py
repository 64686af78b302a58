from pathlib import Path

import pytest

from nas_fpga.data.simulation import TABLE_SETS


def make_tables(folder: Path) -> Path:
    """Make a folder that looks like Geant4's physics tables, with nothing in them."""
    for tables in TABLE_SETS:
        probe = folder / tables.folder / tables.probe
        (probe.parent if tables.probe else probe).mkdir(parents=True, exist_ok=True)
        if tables.probe:
            probe.write_text("")
    return folder


@pytest.fixture
def shipped_path() -> Path:
    return Path(__file__).parents[3] / "datasets" / "hgcal_showers.npz"

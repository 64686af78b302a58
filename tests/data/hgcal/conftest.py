from pathlib import Path

import numpy as np
import pytest

from nas_fpga.data.hgcal import PileupLibrary, Showers, read_pileup_library, read_showers

DATASETS = Path(__file__).parents[3] / "datasets"
SHOWERS = DATASETS / "hgcal_showers.npz"
LIBRARY = DATASETS / "hgcal_pileup_library.npz"


@pytest.fixture(scope="session")
def showers() -> Showers:
    return read_showers(SHOWERS)


@pytest.fixture(scope="session")
def library() -> PileupLibrary:
    return read_pileup_library(LIBRARY)


def make_showers(*hits: list[tuple[int, int, int, float]]) -> Showers:
    """Electrons of 100 GeV with the given hits (layer, ix, iy, MeV) each."""
    flat = [hit for shower in hits for hit in shower]
    return Showers(
        offsets=np.cumsum([0, *map(len, hits)]).astype(np.int64),
        cell=np.array([layer * 576 + ix * 24 + iy for layer, ix, iy, _ in flat], np.uint16),
        energy_mev=np.array([energy for *_, energy in flat], np.float16),
        energy_gev=np.full(len(hits), 100, np.float32),
        pdg=np.full(len(hits), 11, np.int16),
        seed=np.zeros(len(hits), np.int32),
        depth=np.zeros((47, 3)),
    )


def make_library(*hits: list[tuple[int, int, int, float]]) -> PileupLibrary:
    made = make_showers(*hits)
    return PileupLibrary(made.offsets, made.cell.astype(np.int32), made.energy_mev.astype(np.float32), made.energy_gev)

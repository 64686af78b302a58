"""What is to be simulated, cut into chunks that depend on nothing but the seed and their number."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data.hgcal._detector import CELL_CM
from nas_fpga.data.hgcal._showers import ELECTRON, PION
from nas_fpga.errors import InputError

PARTICLES = {"electron": (ELECTRON,), "pion": (PION,), "both": (ELECTRON, PION)}
"""PDG numbers that the showers of a run take in turn."""
CHUNK_SHOWERS = 20
"""Showers of one process: some 10 s of work after 1 s in which Geant4 starts."""
MAX_SEED = 2**31 - 1
_ENERGY_LIMITS_GEV = (0.1, 10_000.0)


@dataclass(frozen=True, eq=False)
class Primaries:
    """The particles that enter the calorimeter.

    Attributes:
        pdg: `(n,)` int16.
        energy_gev: `(n,)` float32, kinetic energy.
        impact_mm: `(n, 2)` float32, where they enter, from the centre.
    """

    pdg: NDArray[np.int16]
    energy_gev: NDArray[np.float32]
    impact_mm: NDArray[np.float32]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.pdg)


@dataclass(frozen=True)
class Plan:
    """A run. It is a prefix of a longer one with the same seed.

    Attributes:
        showers: How many.
        particle: A key of :data:`PARTICLES`.
        energy_gev: Lowest and highest energy; even in the logarithm between them.
        seed: Of everything.
    """

    showers: int
    particle: str = "both"
    energy_gev: tuple[float, float] = (10.0, 200.0)
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated.

        Raises:
            InputError: A value out of its range.
        """
        if self.showers < 1:
            raise InputError(f"{self.showers} showers are none; give at least 1")
        if self.particle not in PARTICLES:
            raise InputError(f"unknown particle '{self.particle}'; choose one of {', '.join(PARTICLES)}")
        low, high = self.energy_gev
        if not _ENERGY_LIMITS_GEV[0] <= low <= high <= _ENERGY_LIMITS_GEV[1]:
            raise InputError(f"energies of {low:g} to {high:g} GeV; give two ascending from 0.1 to 10,000, as 10:200")
        if not 0 <= self.seed <= MAX_SEED:
            raise InputError(f"seed {self.seed} is out of range; give one from 0 to {MAX_SEED}")

    def chunks(self) -> list[range]:
        """Return the numbers of the showers of each chunk."""
        starts = range(0, self.showers, CHUNK_SHOWERS)
        return [range(start, min(start + CHUNK_SHOWERS, self.showers)) for start in starts]

    def primaries(self, chunk: range) -> Primaries:
        """Return the particles of one of :meth:`chunks`."""
        rng = np.random.Generator(np.random.PCG64(self._sequence(chunk, 0)))
        uniform = rng.uniform(size=(CHUNK_SHOWERS, 3))[: len(chunk)]
        low, high = map(math.log, self.energy_gev)
        kinds = PARTICLES[self.particle]
        return Primaries(
            pdg=np.array([kinds[number % len(kinds)] for number in chunk], np.int16),
            energy_gev=np.exp(low + (high - low) * uniform[:, 0]).astype(np.float32),
            impact_mm=((uniform[:, 1:] - 0.5) * 10 * CELL_CM).astype(np.float32),
        )

    def engine_seed(self, chunk: range) -> int:
        """Return the seed of Geant4's random engine for one of :meth:`chunks`, 1 to 2**31 - 1."""
        return 1 + int(self._sequence(chunk, 1).generate_state(1)[0]) % MAX_SEED

    def _sequence(self, chunk: range, use: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(self.seed, spawn_key=(chunk.start // CHUNK_SHOWERS, use))

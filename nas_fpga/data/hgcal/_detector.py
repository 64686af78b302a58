"""The simulated calorimeter: layers, cells and their calibration. Everything else here speaks in these terms.

Forty-seven layers of 24 x 24 square cells with the area of a trigger cell. Layers 0 to 25 are the electromagnetic part
CE-E (silicon), 26 to 46 the hadronic part CE-H (silicon up to 32, then scintillator). The trigger reads every second
layer of CE-E and all of CE-H. Shower and pile-up files number a cell ``layer * 576 + ix * 24 + iy``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

N_LAYERS = 47
N_CE_E = 26
FIRST_SCINTILLATOR = 33
N_SIDE = 24
N_CELLS = N_LAYERS * N_SIDE**2
CELL_CM = 2.17
"""Side of a cell: 4.7 cm2, the area of an HGCAL trigger cell."""

SILICON_MIP_MEV = 0.0845
"""Most probable energy loss of a minimum ionising particle in 0.3 mm of silicon; 86 keV peak in simulated muons."""
SCINTILLATOR_MIP_MEV = 0.50
"""The same in 3 mm of scintillator: 2 MeV cm2/g (Review of Particle Physics) times 1.03 g/cm3, less the Landau tail."""

ETA = 2.1
"""Pseudorapidity at which the showers are taken to have entered: p_T = E / cosh(2.1)."""

TRIGGER_LAYERS: NDArray[np.int64] = np.r_[0:N_CE_E:2, N_CE_E:N_LAYERS]
"""The 34 layers that the trigger reads: 13 of CE-E, 7 of CE-H silicon, 14 of CE-H scintillator."""
N_TRIGGER_CE_E = 13
SUM_STARTS: NDArray[np.int64] = np.r_[0:N_TRIGGER_CE_E, 13, 20]
"""First trigger layer of each of the 15 sums: the CE-E layers one by one, CE-H silicon, CE-H scintillator."""
SUM_NAMES: tuple[str, ...] = (
    *(f"ce_e_{layer + 1:02d}" for layer in range(0, N_CE_E, 2)),
    "ce_h_silicon",
    "ce_h_scintillator",
)
"""Names of the sums; CE-E layers carry their number in the detector, counted from 1: 01, 03, ... 25."""

STEPS_PER_MIP = 8
"""Energies are whole eighths of a MIP from the first step on: sums are exact, in any order and on any machine.

A trigger cell needs 5.6 MIP to count and its noise is 0.4 MIP, so an eighth cannot be seen.
"""


def energy_steps(cell: NDArray[np.integer], energy_mev: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return deposited energies `(h,)` in MeV as whole eighths of a MIP of the layer they lie in."""
    silicon = cell // N_SIDE**2 < FIRST_SCINTILLATOR
    mip = np.where(silicon, SILICON_MIP_MEV, SCINTILLATOR_MIP_MEV)
    return np.rint(energy_mev.astype(np.float64) * (STEPS_PER_MIP / mip)).astype(np.int64)

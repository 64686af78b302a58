"""Do the jets behave as physics says they should?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data._dataset import Dataset
from nas_fpga.data.hgcal import Check
from nas_fpga.data.jets._definitions import CLASS_NAMES, FEATURE_NAMES, SELECTION

POLE_MASSES_GEV = {"W": 80.4, "Z": 91.2, "top": 171.0}
"""Of the particles as Pythia makes them."""
_PEAK_WINDOW = 0.12  # of the mass on both sides of the peak
# A quark that carries less than z_cut = 0.1 of a transversely polarised boson is groomed away: twice the integral of
# 3/2 (z^2 + (1 - z)^2) from 0 to 0.1. The rest of the selection and longitudinal bosons (0.06 of them) take from it.
_GROOMED_AWAY = 0.272
_COLOUR_RATIO = 9 / 4  # C_A / C_F: what the ratio of multiplicities tends to at infinite energy


def physics_checks(jets: Dataset) -> list[Check]:
    """Run all checks on the data set of :func:`load_jets`; they need some hundred jets of each class."""
    columns = dict(zip(FEATURE_NAMES, jets.features.T.astype(np.float64), strict=True))
    of_class = {name: jets.labels == label for label, name in enumerate(CLASS_NAMES)}
    return [
        *_masses(columns["mass_mmdt"], of_class),
        *_multiplicities(columns["multiplicity"], of_class),
        *_shapes(columns, jets.spectators["pt_gev"], of_class),
    ]


def peak_gev(mass: NDArray[np.float64], near_gev: float) -> float:
    """Return where a mass spectrum peaks: the median of a window around itself, from a starting value."""
    peak = near_gev
    for _ in range(50):
        inside = np.abs(mass / peak - 1) < _PEAK_WINDOW
        before, peak = peak, float(np.median(mass[inside]))
        if before == peak:
            break
    return peak


def full_width_gev(mass: NDArray[np.float64], peak: float) -> float:
    """Return the full width at half maximum of a mass peak, from a histogram of 2 GeV bins."""
    counts, edges = np.histogram(mass, bins=np.arange(peak - 41, peak + 41, 2.0))
    above = np.flatnonzero(counts >= counts.max() / 2)
    return float(edges[above[-1] + 1] - edges[above[0]])


def _masses(mass: NDArray[np.float64], of_class: dict[str, NDArray[np.bool_]]) -> Iterator[Check]:
    for name, expected in POLE_MASSES_GEV.items():
        own = mass[of_class[name]]
        peak = peak_gev(own, expected)
        yield Check(f"{name} peak of the groomed mass (GeV)", peak, expected, 0.97 * expected, 1.03 * expected)
        # The detector's 5 to 10 % and, of the top, what its b quark radiates.
        width = full_width_gev(own, peak)
        yield Check(f"{name} full width at half maximum (GeV)", width, 0.1 * peak, 0.05 * peak, 0.15 * peak)
        if name != "top":
            low = float(np.mean(own < 0.75 * expected))
            yield Check(f"{name} jets below 3/4 of the mass", low, _GROOMED_AWAY, 0.8 * _GROOMED_AWAY, _GROOMED_AWAY)


def _multiplicities(count: NDArray[np.float64], of_class: dict[str, NDArray[np.bool_]]) -> Iterator[Check]:
    mean = {name: float(count[rows].mean()) for name, rows in of_class.items()}
    yield Check("multiplicity of gluon over quark jets", mean["gluon"] / mean["quark"], _COLOUR_RATIO, 1.3, 2.25)
    # Colour singlets: as in e+ e- collisions at their masses, where it grows by a twentieth between the two.
    yield Check("multiplicity of W over Z jets", mean["W"] / mean["Z"], 0.95, 0.9, 1.0)


def _shapes(
    columns: dict[str, NDArray[np.float64]], pt_gev: NDArray[np.float32], of_class: dict[str, NDArray[np.bool_]]
) -> Iterator[Check]:
    low, high = SELECTION.pt_range_gev
    yield Check("lowest p_T (GeV)", float(pt_gev.min()), low, low, 1.05 * low)
    yield Check("highest p_T (GeV)", float(pt_gev.max()), high, 0.8 * high, high)
    two_prong = of_class["W"] & (columns["mass_mmdt"] > 60)
    # m^2 = p_T^2 e2(beta = 2) for small angles, arXiv:1305.0007.
    ratio = columns["mass_mmdt"][two_prong] / (pt_gev[two_prong] * np.sqrt(columns["c1_b2_mmdt"][two_prong]))
    yield Check("mass over p_T sqrt(c1_b2) of W jets, median", float(np.median(ratio)), 1.0, 0.96, 1.02)
    same = float(np.mean(columns["d2_a1_b1_mmdt"] == columns["d2_b1_mmdt"]))
    yield Check("jets whose d2_a1_b1 is d2_b1", same, 1.0, 1.0, 1.0)
    entropy = (columns["zlogz"] <= 0) & (columns["zlogz"] >= -np.log(columns["multiplicity"]) - 1e-5)
    yield Check("jets with -ln(multiplicity) <= zlogz <= 0", float(entropy.mean()), 1.0, 1.0, 1.0)

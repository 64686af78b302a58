"""Do the packed showers behave as published physics says they should?

Every check compares something measured on the hits alone with a figure known beforehand, and allows for what a sampling
calorimeter and a finite sample do to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data.hgcal._detector import FIRST_SCINTILLATOR, N_CE_E, N_LAYERS, SCINTILLATOR_MIP_MEV, SILICON_MIP_MEV
from nas_fpga.data.hgcal._showers import ELECTRON, PION, Showers
from nas_fpga.data.hgcal._tables import MIN_ENERGY_GEV

CRITICAL_ENERGY_GEV = 0.0113
"""Of the CE-E stack: of Pb, Cu, W, Fe (7.4, 19.4, 8.0, 21.7 MeV) weighted with their radiation lengths in it."""
INTERACTION_MIP = 12.0
"""Two consecutive layers with this much each are an interaction: a single particle leaves 1.4 MIP on average."""
ENERGY_BINS_GEV = ((10, 20), (20, 40), (40, 80), (80, 120), (120, 200))


@dataclass(frozen=True)
class Check:
    """One figure, what it should be, and the range in which it passes.

    Attributes:
        name: What was measured, with its unit.
        value: The measured figure.
        expected: What is known beforehand.
        low: Smallest value that passes.
        high: Largest value that passes.
    """

    name: str
    value: float
    expected: float
    low: float
    high: float

    @property
    def passed(self) -> bool:
        """Whether the value lies in its range."""
        return self.low <= self.value <= self.high


def physics_checks(showers: Showers) -> list[Check]:
    """Run all checks on the showers of ``datasets/``; for others there is :func:`sample_checks`."""
    layers = layer_energies_mip(showers)
    electron, pion = showers.pdg == ELECTRON, showers.pdg == PION
    return [
        *_counts(showers),
        *electron_checks(showers.energy_gev[electron], layers[electron], showers.depth, ENERGY_BINS_GEV),
        mip_check(showers),
        *pion_checks(layers[pion & (showers.energy_gev > MIN_ENERGY_GEV)]),
        *_generation_ranges(showers, layers),
    ]


def layer_energies_mip(showers: Showers) -> NDArray[np.float64]:
    """Return the energy of each shower in each layer in MIP, `(n, 47)`: all cells, no noise, no threshold."""
    n = len(showers)
    layer = showers.cell // (24 * 24)
    mip_mev = np.where(layer < FIRST_SCINTILLATOR, SILICON_MIP_MEV, SCINTILLATOR_MIP_MEV)
    place = np.repeat(np.arange(n) * N_LAYERS, np.diff(showers.offsets)) + layer
    energy = np.bincount(place, showers.energy_mev / mip_mev, minlength=n * N_LAYERS)
    return energy.astype(np.float64).reshape(n, N_LAYERS)


def first_interaction_layer(layers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return where each shower begins as seen by the sensors, `(n,)` from 0; `47` where it does not.

    It is the first layer that holds at least :data:`INTERACTION_MIP` together with its successor. Elastic and
    quasi-elastic scatters stay unseen, and a shower born just before a layer may show in the next.

    Args:
        layers: `(n, 47)` energies in MIP.
    """
    both = np.minimum(layers[:, :-1], layers[:, 1:]) >= INTERACTION_MIP
    first: NDArray[np.int64] = np.where(both.any(axis=1), both.argmax(axis=1), N_LAYERS)
    return first


def fit_gamma(depth_x0: NDArray[np.floating], profile: NDArray[np.floating]) -> tuple[float, float]:
    """Fit dE/dt = E0 b (bt)^(a-1) exp(-bt) / Gamma(a) to a longitudinal profile.

    Source: Review of Particle Physics, "Passage of particles through matter", electromagnetic cascades.

    Args:
        depth_x0: `(m,)` depths in radiation lengths.
        profile: `(m,)` energies.

    Returns:
        Depth of the maximum (a - 1) / b in radiation lengths, and b; `nan` where no such curve fits.
    """
    from scipy.optimize import curve_fit
    from scipy.special import gammaln

    def gamma(t: NDArray[np.float64], scale: float, a: float, b: float) -> NDArray[np.float64]:
        shape: NDArray[np.float64] = scale * b * np.exp((a - 1) * np.log(b * t) - b * t - gammaln(a))
        return shape

    try:
        (_, a, b), _ = curve_fit(gamma, depth_x0, profile, p0=(profile.sum(), 4.0, 0.5))
    except RuntimeError:  # scipy's word for a fit that does not converge
        return math.nan, math.nan
    return float((a - 1) / b), float(b)


def _counts(showers: Showers) -> Iterator[Check]:
    hard = showers.energy_gev > MIN_ENERGY_GEV
    for name, pdg, everything, above in (("electrons", ELECTRON, 6300, 4432), ("pions", PION, 11500, 9380)):
        mine = showers.pdg == pdg
        yield Check(name, int(mine.sum()), everything, everything, everything)
        yield Check(f"{name} above 41 GeV", int((mine & hard).sum()), above, above, above)


def electron_checks(
    energy_gev: NDArray[np.floating],
    layers: NDArray[np.float64],
    depth: NDArray[np.float64],
    bins_gev: Sequence[tuple[float, float]],
) -> Iterator[Check]:
    """Yield shower maximum and shape in each bin of energy, their slope and the resolution over bins, the response.

    Args:
        energy_gev: `(n,)` generated energies of electrons.
        layers: `(n, 47)` their energies in MIP.
        depth: `(47, 3)` depths of the layers, the first column in radiation lengths.
        bins_gev: None of them empty; slope and resolution need three.
    """
    energy = energy_gev.astype(np.float64)
    response = layers[:, :N_CE_E].sum(axis=1) / energy
    maxima, log_energy, spread, inverse_energy = [], [], [], []
    for low, high in bins_gev:
        chosen = (energy >= low) & (energy < high)
        mean_log = float(np.log(energy[chosen]).mean())
        profile = (layers[chosen, :N_CE_E] / energy[chosen, None]).mean(axis=0)
        maximum, b = fit_gamma(depth[:N_CE_E, 0], profile)
        # PDG: ln(E / Ec) - 1/2 for electrons, all materials alike. Sampling in front of and behind lead sees the
        # maximum some 0.25 X0 earlier; the mean over the materials is known to 0.2 X0.
        known = mean_log - float(np.log(CRITICAL_ENERGY_GEV)) - 0.5
        name = f"at {np.exp(mean_log):.0f} GeV"
        yield Check(f"electron shower maximum {name} (X0)", maximum, known, known - 0.45, known + 0.2)
        yield Check(f"b of the gamma profile {name}", b, 0.5, 0.45, 0.58)  # PDG figure: 0.5 for iron to uranium
        maxima.append(maximum)
        log_energy.append(mean_log)
        spread.append(float(response[chosen].std() / response[chosen].mean()))
        inverse_energy.append(float((1 / energy[chosen]).mean()))
    if len(bins_gev) >= 3:
        slope = float(np.polyfit(log_energy, maxima, 1)[0]) if np.isfinite(maxima).all() else math.nan
        yield Check("shower maximum per e-fold of energy (X0)", slope, 1.0, 0.95, 1.1)
        # Positrons in the CMS HGCAL prototype: 22 % / sqrt(E), arXiv:2111.06855.
        # A small sample may fit a negative square.
        squares = np.polyfit(inverse_energy, np.square(spread), 1)
        stochastic, constant = np.sqrt(np.maximum(squares, 0.0))
        yield Check("stochastic term of the CE-E resolution (% sqrt(GeV))", 100 * float(stochastic), 22.0, 19.0, 25.0)
        yield Check("constant term of the CE-E resolution (%)", 100 * float(constant), 1.0, 0.0, 2.0)
    # A minimum ionising particle loses 0.29 GeV in CE-E and leaves 26 x 1.38 MIP (mean over most probable loss), so
    # 123 MIP/GeV; electrons leave 0.85 of that (e/mip of lead and silicon: 0.8 to 0.9).
    yield Check("electron response of CE-E (MIP/GeV)", float(response.mean()), 105.0, 98.0, 111.0)


def mip_check(showers: Showers) -> Check:
    """Check the peak of what pions leave in the first two layers, before they interact: they are minimum ionising."""
    early = np.repeat(showers.pdg == PION, np.diff(showers.offsets)) & (showers.cell < 2 * 24 * 24)
    counts, edges = np.histogram(showers.energy_mev[early].astype(np.float64), bins=np.arange(0.0, 0.3, 0.004))
    near = slice(int(counts.argmax()) - 4, int(counts.argmax()) + 5)
    curvature, slope, _ = np.polyfit((edges[:-1] + 0.002)[near], np.log(counts[near]), 2)
    # PDG, most probable loss of relativistic pions in 0.3 mm of silicon: 84 to 87 keV.
    return Check("silicon MIP (keV)", 1000 * float(-slope / (2 * curvature)), 86.0, 83.0, 89.0)


def pion_checks(layers: NDArray[np.float64]) -> Iterator[Check]:
    """Yield the shares of pions above 41 GeV, `(n, 47)` MIP, that shower within the first layers of CE-E."""
    first = first_interaction_layer(layers)
    # Expected: first inelastic interaction of the simulated tracks. Seen from the sensors it is within 0.03.
    for layer, known in ((8, 0.31), (14, 0.47), (20, 0.60), (26, 0.71)):
        name = f"pions showering within the first {layer} layers"
        yield Check(name, float((first < layer).mean()), known, known - 0.03, known + 0.03)


def _generation_ranges(showers: Showers, layers: NDArray[np.float64]) -> Iterator[Check]:
    """Runs up to seed 4007 cover 10 to 200 GeV, those from 5001 on 41 to 200 GeV: above 41 GeV they are one sample.

    Their response must agree within one standard error. Their generated energies are drawn from one distribution, so
    they may only differ by chance; that of the electrons is a rare one.
    """
    for name, pdg in (("electrons", ELECTRON), ("pions", PION)):
        chosen = (showers.pdg == pdg) & (showers.energy_gev > MIN_ENERGY_GEV)
        wide = showers.seed[chosen] < 5000
        energy = showers.energy_gev[chosen]
        total, rms = response_pulls(energy, layers[chosen], wide)
        yield Check(f"two ranges of {name}: CE-E sum (standard errors)", total, 0.0, -1.0, 1.0)
        yield Check(f"two ranges of {name}: layer sums, rms (standard errors)", rms, 1.0, 0.0, 1.0)
        log_energy = np.log(energy.astype(np.float64))
        drawn = float(_pull(log_energy[wide], log_energy[~wide]))
        yield Check(f"two ranges of {name}: ln E (standard errors)", drawn, 0.0, -3.0, 3.0)


def response_pulls(
    energy_gev: NDArray[np.floating], layers: NDArray[np.float64], mine: NDArray[np.bool_], *, one_spread: bool = False
) -> tuple[float, float]:
    """Compare the CE-E energies of two samples at equal generated energy.

    Profiles move with ln E, and the two samples need not have the same mean: a quadratic in ln E is taken out first.

    Args:
        energy_gev: `(n,)` generated energies of both.
        layers: `(n, 47)` energies in MIP.
        mine: `(n,)`; which showers are of the first sample.
        one_spread: Take the spread of single showers from both samples together: a small sample of pions, few of which
            have reached a layer, does not know its own.

    Returns:
        First less second sample in standard errors: of the sum of CE-E, and the rms over its layers.
    """
    smooth = np.vander(np.log(energy_gev.astype(np.float64)), 3)
    response = layers[:, :N_CE_E] / energy_gev[:, None]
    response = response - smooth @ np.linalg.lstsq(smooth, response, rcond=None)[0]
    parts = [(part[mine], part[~mine]) for part in (response.sum(axis=1), response)]
    if one_spread:
        scale = np.sqrt(1 / mine.sum() + 1 / (~mine).sum())
        total, layer = ((one.mean(axis=0) - other.mean(axis=0)) / scale for one, other in parts)
        return float(total / response.sum(axis=1).std()), _rms(layer / response.std(axis=0))
    total, layer = (_pull(one, other) for one, other in parts)
    return float(total), _rms(layer)


def _pull(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    error = np.sqrt(one.var(axis=0) / len(one) + other.var(axis=0) / len(other))
    difference: NDArray[np.float64] = (one.mean(axis=0) - other.mean(axis=0)) / error
    return difference


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))

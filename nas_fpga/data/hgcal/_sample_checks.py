"""The physics checks on any sample of showers, however small: against what is known, and against good showers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data.hgcal._physics_checks import (
    ENERGY_BINS_GEV,
    Check,
    electron_checks,
    layer_energies_mip,
    mip_check,
    pion_checks,
    response_pulls,
)
from nas_fpga.data.hgcal._showers import ELECTRON, PION, Showers
from nas_fpga.data.hgcal._tables import MIN_ENERGY_GEV

MIN_SHOWERS = 10
"""Showers from which on a mean and its error say anything."""
MIN_MIP_PIONS = 300
"""Pions whose first hits make a peak that can be fitted; its error is then 1 keV."""
ALLOWED_ERRORS = 3.0
"""Standard errors of the sample that a figure may lie outside the range of the published figure."""
_RESAMPLES = 100

Draw = NDArray[np.int64]


def sample_checks(sample: Showers, reference: Showers | None = None, seed: int = 1) -> list[Check]:
    """Run the checks that a sample is large enough for.

    Figures known beforehand may lie three standard errors of the sample (of shares binomial, of others from resampling
    its showers) outside the range that holds for ever so many showers. Layer energies are compared with those of the
    reference at equal energy.

    Args:
        sample: The showers in question; energies of 10 to 200 GeV can be checked.
        reference: Showers known to be good, such as those of ``datasets/``.
        seed: Of the resampling.
    """
    rng = np.random.default_rng(seed)
    layers, energy = layer_energies_mip(sample), sample.energy_gev
    in_range = (energy >= ENERGY_BINS_GEV[0][0]) & (energy <= ENERGY_BINS_GEV[-1][1])
    checks: list[Check] = []

    electrons = np.flatnonzero((sample.pdg == ELECTRON) & in_range)
    if len(electrons) >= MIN_SHOWERS:
        # As many electrons in each bin (one bin if all have one energy); the last ends above the highest energy.
        n_bins = min(len(ENERGY_BINS_GEV), len(electrons) // MIN_SHOWERS)
        lower = np.quantile(energy[electrons].astype(np.float64), np.linspace(0, 1, n_bins + 1)[:-1])
        edges = np.append(np.unique(lower), 1.001 * energy[electrons].max())
        bins = [(float(low), float(high)) for low, high in itertools.pairwise(edges)]
        strata = np.searchsorted(edges, energy[electrons], side="right")
        checks += _resampled(
            lambda drawn: electron_checks(energy[electrons[drawn]], layers[electrons[drawn]], sample.depth, bins),
            strata,
            rng,
        )
    if (sample.pdg == PION).sum() >= MIN_MIP_PIONS:
        checks.append(mip_check(sample))
    pions = np.flatnonzero((sample.pdg == PION) & in_range & (energy > MIN_ENERGY_GEV))
    if len(pions) >= MIN_SHOWERS:
        for check in pion_checks(layers[pions]):
            checks.append(_widened(check, math.sqrt(check.expected * (1 - check.expected) / len(pions))))
    if reference is not None:
        checks += _comparisons(sample, layers, reference)
    return checks


def _widened(check: Check, error: float) -> Check:
    slack = ALLOWED_ERRORS * error
    return replace(check, low=check.low - slack, high=check.high + slack)


def _resampled(
    measure: Callable[[Draw], Iterator[Check]], strata: NDArray[np.generic], rng: np.random.Generator
) -> list[Check]:
    """Return the checks of the whole sample, their ranges widened by its errors; strata keep their sizes."""
    measured = list(measure(np.arange(len(strata))))
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    values = []
    for _ in range(_RESAMPLES):
        drawn = np.concatenate([rng.choice(mine, len(mine)) for mine in members])
        values.append([check.value for check in measure(drawn)])
    errors = np.nanstd(values, axis=0, ddof=1)
    return [_widened(check, float(error)) for check, error in zip(measured, errors, strict=True)]


def _comparisons(sample: Showers, layers: NDArray[np.float64], reference: Showers) -> Iterator[Check]:
    known = layer_energies_mip(reference)
    for name, pdg in (("electrons", ELECTRON), ("pions", PION)):
        mine, theirs = sample.pdg == pdg, reference.pdg == pdg
        if not theirs.any():
            continue
        mine &= sample.energy_gev >= reference.energy_gev[theirs].min()
        mine &= sample.energy_gev <= reference.energy_gev[theirs].max()
        if mine.sum() < MIN_SHOWERS:
            continue
        theirs &= reference.energy_gev >= sample.energy_gev[mine].min()
        theirs &= reference.energy_gev <= sample.energy_gev[mine].max()
        if theirs.sum() < MIN_SHOWERS:
            continue
        energy = np.concatenate((sample.energy_gev[mine], reference.energy_gev[theirs]))
        both = np.concatenate((layers[mine], known[theirs]))
        total, rms = response_pulls(energy, both, np.arange(len(both)) < mine.sum(), one_spread=True)
        yield Check(f"{name} against the reference: CE-E sum (standard errors)", total, 0.0, -3.0, 3.0)
        # Neighbouring layers are correlated, so that the rms of some independent pulls varies by a half.
        yield Check(f"{name} against the reference: layer sums, rms (standard errors)", rms, 1.0, 0.0, 2.5)

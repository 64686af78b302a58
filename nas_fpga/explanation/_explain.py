"""How far each group of descriptors decides a target: the numbers, from plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.explanation._descriptors import Descriptor
from nas_fpga.explanation._resamples import N_FOLDS, Measured, folds, measure
from nas_fpga.explanation._surrogate import Probe, Surrogates, grid_of

Array = NDArray[np.float64]
Places = NDArray[np.int64]

FEWEST = 20
"""Candidates below which nothing is concluded: a held-out fold would have fewer than four."""


@dataclass(frozen=True)
class Quality:
    """How well a surrogate predicts candidates that it has not seen.

    Attributes:
        n_trainings: Rows.
        n_candidates: Distinct candidates; repeated trainings of one are held out together.
        r_squared: Share of the variance that it explains.
        rank_correlation: Spearman's, of predictions and targets.
        ceiling: Share of the variance that is not the scatter of repeated trainings: the most that can be explained.
            None where no candidate was trained again.
    """

    n_trainings: int
    n_candidates: int
    r_squared: Measured
    rank_correlation: float
    ceiling: float | None


@dataclass(frozen=True)
class Importance:
    """Part of a target's variance that goes with a group of descriptors, alone and together with others.

    Attributes:
        group: Its name.
        of_variance: The part, 1 for all.
    """

    group: str
    of_variance: Measured

    @property
    def is_clear(self) -> bool:
        """Whether it can be told from 0."""
        return self.of_variance.low > 0


@dataclass(frozen=True, eq=False)
class Dependence:
    """Mean of the target over all candidates if each had one value of a descriptor (partial dependence).

    Attributes:
        descriptor: Which.
        places: Its values `(m,)`, rising.
        mean, low, high: Of the target at each `(m,)`, with the 95 % interval.
    """

    descriptor: Descriptor
    places: Array
    mean: Array
    low: Array
    high: Array


@dataclass(frozen=True, eq=False)
class Explanation:
    """What decided a target.

    Attributes:
        target: Its name.
        quality: Of the surrogate; None where there were too few candidates to judge one.
        verdict: Why nothing can be concluded; empty where something can.
        importances: Of the groups, the largest first; none where nothing can be concluded, so are dependences.
        dependences: Of the descriptors, in their order.
    """

    target: str
    quality: Quality | None
    verdict: str = ""
    importances: tuple[Importance, ...] = ()
    dependences: tuple[Dependence, ...] = ()


def explain(
    target: str,
    values: Array,
    descriptors: Sequence[Descriptor],
    targets: Array,
    candidates: Places,
    rng: np.random.Generator,
) -> Explanation:
    """Say what decided a target, by a surrogate of extremely randomised trees (Geurts et al., 2006).

    In 5 x 5 folds a surrogate is fitted and judged on the candidates held out. A group's importance is half of what the
    squared error there grows by when the group's columns are shuffled together, over the variance of the target. For
    a surrogate that is exact that is the total Sobol index (Jansen, 1999): of an additive function the share of the
    variance that the group makes. What does not matter has 0 in expectation. Shuffling takes groups for independent of
    each other. See Gregorutti et al. (2015) for groups in forests.

    Args:
        target: Its name.
        values: Of descriptors `(n, k)`.
        descriptors: What the columns are.
        targets: `(n,)`, finite.
        candidates: Which candidate each row is a training of `(n,)`, from 0.
        rng: Of folds, trees and shuffles.
    """
    n_candidates = int(candidates.max(initial=-1)) + 1
    if n_candidates < FEWEST:
        few = f"no conclusion: {n_candidates} trained candidates are too few, it takes {FEWEST}"
        return Explanation(target, None, few)
    all_equal = bool(np.ptp(targets) == 0)  # their variance may be one of rounding
    varies = [k for k in range(len(descriptors)) if np.ptp(values[:, k]) > 0]
    if not varies or all_equal:
        what = "all targets are equal" if all_equal else "all candidates are equal"
        return Explanation(target, None, f"no conclusion: {what}")
    descriptors = [descriptors[k] for k in varies]
    values = values[:, varies]
    groups = list(dict.fromkeys(descriptor.group for descriptor in descriptors))
    columns = [[k for k, of in enumerate(descriptors) if of.group == group] for group in groups]
    x = np.column_stack([of.scaled(column) for of, column in zip(descriptors, values.T, strict=True)])
    grids = [grid_of(column) for column in values.T]
    scaled_grids = [of.scaled(grid) for of, grid in zip(descriptors, grids, strict=True)]
    surrogates = Surrogates(x, targets, columns, scaled_grids)
    probes = [surrogates.probe(*fold, rng) for fold in folds(candidates, rng)]
    weights = np.array([len(probe.rows) for probe in probes], np.float64)

    def measured(name: str) -> tuple[Array, Array, Array]:
        return measure(np.array([getattr(probe, name) for probe in probes]), weights)

    explained, low, high = map(float, measured("explained"))
    quality = Quality(
        n_trainings=len(targets),
        n_candidates=n_candidates,
        r_squared=Measured(explained, low, min(high, 1.0)),  # a part of a whole, whatever the margin
        rank_correlation=_rank_correlation(targets, probes),
        ceiling=_ceiling(targets, candidates),
    )
    if quality.r_squared.low <= 0:
        nothing = f"no conclusion: what is known of candidates does not predict {target}"
        return Explanation(target, quality, f"{nothing}, R2 {quality.r_squared:.2f}")
    parts = np.column_stack(measured("importances")).tolist()
    importances = [Importance(group, Measured(*part)) for group, part in zip(groups, parts, strict=True)]
    importances.sort(key=lambda importance: -importance.of_variance.value)
    ends = np.cumsum([len(grid) for grid in grids])[:-1]
    lines = zip(*(np.split(line, ends) for line in measured("dependences")), strict=True)
    dependences = [Dependence(of, grid, *line) for of, grid, line in zip(descriptors, grids, lines, strict=True)]
    return Explanation(target, quality, "", tuple(importances), tuple(dependences))


def rank_correlations(values: Array) -> Array:
    """Return Spearman's rank correlations of columns `(k, k)`; of constant ones 0, of each with itself 1."""
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=0) - (len(values) + 1) / 2
    lengths = np.sqrt((ranks**2).sum(axis=0))
    ranks /= np.where(lengths > 0, lengths, 1.0)
    found: Array = ranks.T @ ranks
    np.fill_diagonal(found, 1.0)
    return found


def _rank_correlation(targets: Array, probes: Sequence[Probe]) -> float:
    """Return the rank correlation of targets and held-out predictions, mean of the repetitions."""
    found = []
    for first in range(0, len(probes), N_FOLDS):
        predictions = np.zeros(len(targets))
        for probe in probes[first : first + N_FOLDS]:
            predictions[probe.rows] = probe.predictions
        found.append(rank_correlations(np.column_stack([targets, predictions]))[0, 1])
    return float(np.mean(found))


def _ceiling(targets: Array, candidates: Places) -> float | None:
    """Return one minus the variance between trainings of one candidate over that of all trainings."""
    counts = np.bincount(candidates)
    if counts.max() == 1:
        return None
    means = np.bincount(candidates, targets) / counts
    within = ((targets - means[candidates]) ** 2).sum() / (counts - 1).sum()
    return float(1 - within / targets.var(ddof=1))

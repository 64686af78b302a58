"""What is made of the runs of several methods on several tables: regrets, ranks and tests between methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def incumbents(shown: Sequence[float]) -> NDArray[np.int64]:
    """Return, after each training, which one had the least error shown so far: the first of equals `(n,)`."""
    values = np.asarray(shown, dtype=np.float64)
    best = np.minimum.accumulate(values)
    new = np.r_[True, values[1:] < best[:-1]]
    return np.maximum.accumulate(np.where(new, np.arange(len(values)), 0))


def mean_ranks(figures: Array) -> Array:
    """Return the mean over tables of the rank of each method `(methods,)`: 1 for the least figure, equals share theirs.

    Args:
        figures: `(tables, methods)`, none NaN.
    """
    from scipy.stats import rankdata

    ranks: Array = rankdata(figures, axis=1).mean(axis=0)
    return ranks


def signed_rank(ours: Array, theirs: Array) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test over tables; 1 where all are equal.

    Args:
        ours: One figure for each table `(tables,)`.
        theirs: Of another method on the same tables.
    """
    from scipy.stats import wilcoxon

    differences = ours - theirs
    if not np.any(differences):
        return 1.0
    return float(wilcoxon(differences, zero_method="zsplit" if np.any(differences == 0) else "wilcox").pvalue)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p values adjusted for how many they are (Holm 1979, Scand. J. Statist. 6, 65), in ascending order."""
    adjusted: dict[str, float] = {}
    least = 0.0
    for i, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - i) * p_values[name]))
        adjusted[name] = least
    return adjusted

"""Paired intervals: how well two networks' figures of merit can be told apart on the rows there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import Dataset
from nas_fpga.errors import InputError
from nas_fpga.training._merits import EFFICIENCY_SLACK, SIGNAL_EFFICIENCY, Floats, predicted_classes

_NEIGHBOURHOOD = 0.05  # of signal efficiency; with .02 most sets of 1,000 resamples have one that crosses outside
_ELEMENTS_AT_ONCE = 4_000_000  # of the (resamples, rows) blocks: 32 MB of float64

Interval = tuple[float, float]


class GroupBootstrap:
    """Resamples whole groups, within their class, and works out the figure of merit again in each resample.

    A group (one shower, one event) is drawn with all its rows: rows of one group are alike, and to resample them one by
    one would make intervals too narrow. Groups are stratified by the class of most of their weight. For two classes
    every resample derives its own working point. Two networks judged with the same object meet the same resamples:
    compare their replicates with :func:`difference_interval` or :func:`ratio_interval`. Efron and Tibshirani, An
    Introduction to the Bootstrap (1993), chapters 6 (standard errors) and 13 (percentile intervals).

    Args:
        groups: `(n,)` group of each row.
        labels: `(n,)` class of each row; 1 is the signal where there are two.
        weights: `(n,)`; rows of weight 0 (such as those that do not count) are left out.
        seed: Of the resamples. Two subsets need two seeds, or their resamples are correlated.
        n_resamples: How many.
        signal_efficiency: What the working points must reach.

    Raises:
        InputError: No rows have weight, or one of two classes has none in some resample.
    """

    def __init__(
        self,
        groups: NDArray[np.integer],
        labels: NDArray[np.integer],
        weights: Floats,
        *,
        seed: int | Sequence[int],
        n_resamples: int = 1000,
        signal_efficiency: float = SIGNAL_EFFICIENCY,
    ) -> None:
        self._n = len(labels)
        self._rows = np.flatnonzero(weights > 0)
        self._labels = labels[self._rows]
        self._weights = np.asarray(weights, np.float64)[self._rows]
        self._signal_efficiency = signal_efficiency
        self._group = np.unique(groups[self._rows], return_inverse=True)[1]
        self.n_classes = int(labels.max()) + 1
        self.n_resamples = n_resamples
        n_groups = int(self._group.max(initial=-1)) + 1
        weight_by_class = np.zeros((n_groups, self.n_classes))
        np.add.at(weight_by_class, (self._group, self._labels), self._weights)
        strata = weight_by_class.argmax(axis=1)
        self._times = _draw(strata, n_resamples, np.random.default_rng(seed))
        alone = np.bincount(strata)[strata] == 1
        self._varies = weight_by_class[~alone].any(axis=0)
        self._totals = self._sums(weight_by_class)  # (n_resamples, n_classes)
        needed = self._totals if self.n_classes == 2 else self._totals.sum(axis=1)
        if not n_groups or (needed <= 0).any():
            raise InputError(f"{n_groups} groups are too few to resample {self.n_classes} classes; give more groups")

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        rows: NDArray[np.int64],
        *,
        seed: int | Sequence[int],
        n_resamples: int = 1000,
        signal_efficiency: float = SIGNAL_EFFICIENCY,
    ) -> GroupBootstrap:
        """Return the bootstrap of some rows of a data set; scores are then of ``rows``, of which the counted count."""
        weights = np.where(dataset.counted[rows], dataset.weights[rows], 0.0)
        return cls(
            dataset.groups[rows],
            dataset.labels[rows],
            weights,
            seed=seed,
            n_resamples=n_resamples,
            signal_efficiency=signal_efficiency,
        )

    @property
    def constant_classes(self) -> tuple[int, ...]:
        """Classes that are the same in all resamples, as each of their groups is alone in its stratum.

        Intervals are too narrow by all that such a class scatters: where every class is one, of width 0.
        """
        return tuple(np.flatnonzero(~self._varies).tolist())

    def errors(self, scores: Floats, thresholds: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return the figure of merit in each resample `(n_resamples,)`: background efficiency, or error rate.

        Args:
            scores: `(n,)` or `(n, 1)` scores of two classes, `(n, k)` logits of several.
            thresholds: `(n_resamples,)` working points, of :meth:`thresholds` on another subset; without them every
                resample chooses its own. For two classes only.
        """
        if self.n_classes > 2:
            wrong = predicted_classes(self._checked(scores)) != self._labels
            by_group = np.zeros(int(self._group.max()) + 1)
            np.add.at(by_group, self._group, np.where(wrong, self._weights, 0.0))
            return np.asarray(self._sums(by_group[:, None])[:, 0] / self._totals.sum(axis=1))
        thresholds = self.thresholds(scores) if thresholds is None else thresholds
        ordered, group, weights = self._descending(scores, label=0)
        n_passing = np.searchsorted(-ordered, -thresholds, side="right")
        # Thresholds are few, as they are scores: one sum over groups for each of them.
        passed = np.empty(self.n_resamples)
        for n in np.unique(n_passing):
            these = np.flatnonzero(n_passing == n)
            by_group = self._by_group(group[:n], weights[:n])
            for chunk in self._chunks(len(by_group)):
                passed[these[chunk]] = self._times[these[chunk]].astype(np.float64) @ by_group
        return passed / self._totals[:, 0]

    def thresholds(self, scores: Floats) -> NDArray[np.float64]:
        """Return the working point of each resample `(n_resamples,)`; see :func:`working_point`."""
        ordered, group, weights = self._descending(scores, label=1)
        needed = self._totals[:, 1] * (self._signal_efficiency * (1 - EFFICIENCY_SLACK))
        # All resamples cross near the same row. What lies before that neighbourhood is summed by group, as one matrix
        # product: ten times faster than running through it. A resample that crosses elsewhere makes it all of them.
        cumulative = np.cumsum(weights)
        around = self._signal_efficiency + np.array([-_NEIGHBOURHOOD, _NEIGHBOURHOOD])
        first, near = (int(i) for i in np.searchsorted(cumulative, np.clip(around, 0, 1) * cumulative[-1]))
        head = self._sums(self._by_group(group[:first], weights[:first])[:, None])[:, 0]
        if (head >= needed).any():
            first, head = 0, np.zeros(self.n_resamples)
        position = np.empty(self.n_resamples, dtype=np.int64)
        for last in (min(near + 1, len(ordered)), len(ordered)):
            for chunk in self._chunks(last - first):
                sums = np.cumsum(self._times[chunk][:, group[first:last]] * weights[first:last], axis=1)
                position[chunk] = first + np.count_nonzero(head[chunk, None] + sums < needed[chunk, None], axis=1)
            if (position < last).all():
                break
        return np.asarray(ordered[np.minimum(position, len(ordered) - 1)])

    def _checked(self, scores: Floats) -> NDArray[np.float64]:
        """Return the scores of the rows that have weight."""
        scores = np.asarray(scores, np.float64)
        if len(scores) != self._n or (scores.size != self._n and self.n_classes == 2):
            raise ValueError(f"scores have shape {scores.shape}, expected one for each of {self._n} rows")
        if not np.isfinite(scores).all():
            raise ValueError(f"{int((~np.isfinite(scores)).sum())} scores are not finite")
        return np.asarray(scores[self._rows])

    def _descending(
        self, scores: Floats, label: int
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        """Return score, group and weight of the rows of one class, highest score first."""
        rows = np.flatnonzero(self._labels == label)
        values = self._checked(scores).reshape(-1)[rows]
        order = np.argsort(-values, kind="stable")
        return values[order], self._group[rows[order]], self._weights[rows[order]]

    def _by_group(self, group: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of values in each group `(n_groups,)`."""
        return np.bincount(group, values, self._times.shape[1]).astype(np.float64)

    def _sums(self, by_group: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sums over the resampled groups `(n_resamples, k)` of what each group has `(n_groups, k)`."""
        sums = np.empty((self.n_resamples, by_group.shape[1]))
        for chunk in self._chunks(len(by_group)):
            sums[chunk] = self._times[chunk].astype(np.float64) @ by_group
        return sums

    def _chunks(self, columns: int) -> Iterator[slice]:
        """Yield slices of resamples whose blocks of so many columns stay small."""
        step = max(1, _ELEMENTS_AT_ONCE // max(1, columns))
        for start in range(0, self.n_resamples, step):
            yield slice(start, start + step)


def _draw(strata: NDArray[np.int64], n_resamples: int, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Return how many times each resample has each group `(n_resamples, n_groups)`, every stratum as large as it is."""
    times = np.zeros((n_resamples, len(strata)), dtype=np.uint16)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        for row in times:
            row[members] = np.bincount(rng.integers(len(members), size=len(members)), minlength=len(members))
    return times


def difference_interval(errors_a: Floats, errors_b: Floats, level: float = 0.95) -> Interval:
    """Return the percentile interval of ``a - b`` of paired replicates `(n_resamples,)`."""
    return percentile_interval(errors_a - errors_b, level)


def ratio_interval(errors_a: Floats, errors_b: Floats, level: float = 0.95) -> Interval:
    """Return the percentile interval of ``a / b`` of paired replicates; 0/0 counts as 1, a positive over 0 as inf."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return percentile_interval(np.where((errors_a == 0) & (errors_b == 0), 1.0, errors_a / errors_b), level)


def percentile_interval(replicates: Floats, level: float = 0.95) -> Interval:
    """Return the ends of the central ``level`` of replicates `(n_resamples,)`: the outer one of two neighbours each."""
    if not 0 < level < 1:
        raise ValueError(f"level {level} must be between 0 and 1")
    tail = (1 - level) / 2
    low = np.quantile(replicates, tail, method="lower")
    return float(low), float(np.quantile(replicates, 1 - tail, method="higher"))

"""Figures of merit: what a network's outputs are worth. All are weighted; rows of weight 0 do not count.

Scores of two classes are logits of the signal (0: even odds), or anything that grows with them where only the order
counts. A row passes a threshold if its score is at least the threshold, so equal scores are never parted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import Dataset

SIGNAL_EFFICIENCY = 0.95
# Sums of weights are rounded in their last bits; without slack, 0.95 of 60 equal weights may need 58 of them.
EFFICIENCY_SLACK = 1e-9

_ROWS_AT_ONCE = 256  # of class scores, whose memory grows with the square of the classes: 20 MB of 100 classes
_LOSSES_AROUND = (1.4, 1.2, 1.0, 0.8, 0.6)

Floats = NDArray[np.floating]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Curve:
    """The receiver operating characteristic: one point for each distinct score, highest first.

    Attributes:
        thresholds: `(k,)` the scores.
        signal_efficiency: `(k,)` share of the signal at or above each threshold; ends at 1.
        background_efficiency: `(k,)` the same of the background.
    """

    thresholds: NDArray[np.float64]
    signal_efficiency: NDArray[np.float64]
    background_efficiency: NDArray[np.float64]


@dataclass(frozen=True)
class Merits:
    """What is reported of one network on one subset. Only counted rows count, but for ``all_rows_*``.

    Attributes:
        roc_auc: Area under the receiver operating characteristic; of several classes the mean of ``per_class_auc``.
        average_precision: Area under purity over efficiency, in steps; of several classes the mean.
        accuracy: Share of rows whose most probable class is theirs.
        log10_error: log10 of :attr:`error`, kept finite, and smoothed over five working points for two classes: what
            samplers learn from.
        per_class_auc: Of several classes, each against the rest; empty for two.
        threshold: The working point, for two classes.
        signal_efficiency: Share of the signal that passes the working point.
        background_efficiency: Share of the background that passes the working point.
        all_rows_threshold: The working point of all rows, counted or not (the reference work's definition).
        all_rows_background_efficiency: Share of all background rows that pass it.
        by_bin: Name and background efficiency, at the one working point, of parts of the counted rows; None if empty.
    """

    roc_auc: float
    average_precision: float
    accuracy: float
    log10_error: float
    per_class_auc: tuple[float, ...] = ()
    threshold: float | None = None
    signal_efficiency: float | None = None
    background_efficiency: float | None = None
    all_rows_threshold: float | None = None
    all_rows_background_efficiency: float | None = None
    by_bin: tuple[tuple[str, float | None], ...] = ()

    @property
    def error_rate(self) -> float:
        """Share of rows whose most probable class is not theirs."""
        return 1 - self.accuracy

    @property
    def error(self) -> float:
        """The figure of merit, lower is better: background efficiency of two classes, error rate of several."""
        return self.error_rate if self.background_efficiency is None else self.background_efficiency

    @property
    def precision(self) -> float:
        """1 - :attr:`error`; for two classes what the reference work calls precision."""
        return 1 - self.error


def roc_curve(scores: Floats, is_signal: Mask, weights: Floats) -> Curve:
    """Return the weighted receiver operating characteristic of `(n,)` scores.

    Raises:
        ValueError: Shapes differ, a score is not finite, or signal or background has no weight.
    """
    scores, weights = np.asarray(scores, np.float64), np.asarray(weights, np.float64)
    if not scores.shape == is_signal.shape == weights.shape or scores.ndim != 1:
        raise ValueError(
            f"scores {scores.shape}, classes {is_signal.shape}, weights {weights.shape} must be one length"
        )
    if not np.isfinite(scores).all():
        raise ValueError(f"{int((~np.isfinite(scores)).sum())} scores are not finite")
    if not (np.any(weights[is_signal] > 0) and np.any(weights[~is_signal] > 0)):
        raise ValueError("signal and background both need rows of weight above 0")
    order = np.argsort(-scores, kind="stable")
    ordered: NDArray[np.float64] = scores[order].astype(np.float64)
    last_of_tie = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    passed = [np.cumsum(np.where(part, weights, 0.0)[order])[last_of_tie] for part in (is_signal, ~is_signal)]
    signal, background = (np.asarray(p / p[-1], np.float64) for p in passed)
    return Curve(ordered[last_of_tie], signal, background)


def _index_at(curve: Curve, signal_efficiency: float) -> int:
    """Return the first point of the curve that reaches the efficiency."""
    if not 0 < signal_efficiency <= 1:
        raise ValueError(f"signal efficiency {signal_efficiency} must be above 0 and at most 1")
    return int(np.argmax(curve.signal_efficiency >= signal_efficiency * (1 - EFFICIENCY_SLACK)))


def working_point(
    scores: Floats, is_signal: Mask, weights: Floats, signal_efficiency: float = SIGNAL_EFFICIENCY
) -> float:
    """Return the highest threshold that at least this weighted share of the signal passes: a score of a signal row."""
    curve = roc_curve(scores, is_signal, weights)
    return float(curve.thresholds[_index_at(curve, signal_efficiency)])


def efficiency(scores: Floats, weights: Floats, threshold: float) -> float:
    """Return the weighted share of rows with a score of at least the threshold."""
    return float(np.sum(weights, where=scores >= threshold) / np.sum(weights))


def background_efficiency(scores: Floats, is_signal: Mask, weights: Floats, threshold: float) -> float:
    """Return the weighted share of background rows with a score of at least the threshold."""
    return efficiency(scores[~is_signal], weights[~is_signal], threshold)


def smooth_log10_background_efficiency(
    scores: Floats,
    is_signal: Mask,
    weights: Floats,
    signal_efficiency: float = SIGNAL_EFFICIENCY,
) -> float:
    """Return the mean log10 of the background efficiencies at five signal efficiencies around the one asked.

    They lose 1.4 to 0.6 times as much signal as it does: 0.93, 0.94, 0.95, 0.96, 0.97 for 0.95. Each background
    efficiency is at least half a background row of mean weight: no row passing is finite, and better than one passing.
    """
    curve = roc_curve(scores, is_signal, weights)
    floor = 0.5 / np.count_nonzero(weights[~is_signal])
    around = (max(1 - (1 - signal_efficiency) * loss, 1e-6) for loss in _LOSSES_AROUND)
    at = [_index_at(curve, efficiency) for efficiency in around]
    return float(np.mean(np.log10(np.maximum(curve.background_efficiency[at], floor))))


def roc_auc(scores: Floats, is_signal: Mask, weights: Floats) -> float:
    """Return the area under the receiver operating characteristic: P(signal above background), ties count half."""
    curve = roc_curve(scores, is_signal, weights)
    signal, background = (np.append(0.0, e) for e in (curve.signal_efficiency, curve.background_efficiency))
    return float(np.sum(np.diff(background) * (signal[1:] + signal[:-1]) / 2))


def average_precision(scores: Floats, is_signal: Mask, weights: Floats) -> float:
    """Return the sum over thresholds of the purity of what passes times the signal efficiency gained."""
    curve = roc_curve(scores, is_signal, weights)
    signal = curve.signal_efficiency * np.sum(weights[is_signal])
    passed = signal + curve.background_efficiency * np.sum(weights[~is_signal])
    purity = np.divide(signal, passed, out=np.zeros_like(signal), where=passed > 0)
    return float(np.sum(np.diff(curve.signal_efficiency, prepend=0.0) * purity))


def predicted_classes(logits: Floats) -> NDArray[np.int64]:
    """Return the most probable class of `(n,)` or `(n, 1)` logits of the signal, or of `(n, k)` of k classes.

    Even odds are the signal, as at any threshold; of several equal classes it is the first.
    """
    if logits.ndim == 1 or logits.shape[1] == 1:
        return (logits.reshape(-1) >= 0).astype(np.int64)
    return np.asarray(np.argmax(logits, axis=1), np.int64)


def accuracy(logits: Floats, labels: NDArray[np.integer], weights: Floats) -> float:
    """Return the weighted share of rows whose most probable class is their label."""
    return float(np.sum(weights, where=predicted_classes(logits) == labels) / np.sum(weights))


def error_rate(logits: Floats, labels: NDArray[np.integer], weights: Floats) -> float:
    """Return 1 - :func:`accuracy`."""
    return 1 - accuracy(logits, labels, weights)


def class_scores(logits: Floats) -> NDArray[np.float64]:
    """Return the log odds of each class against the rest `(n, k)`, of logits `(n, k)`.

    They order rows as the softmax probabilities do, which round to 0 and 1 far out and would make ties there.
    """
    logits = np.asarray(logits, np.float64)
    scores = np.empty(logits.shape)
    itself = np.eye(logits.shape[1], dtype=bool)
    for first in range(0, len(logits), _ROWS_AT_ONCE):
        some = logits[first : first + _ROWS_AT_ONCE]
        others = np.where(itself, -np.inf, some[:, None, :])
        largest = others.max(axis=2)
        rest = largest + np.log(np.exp(others - largest[:, :, None]).sum(axis=2))
        scores[first : first + _ROWS_AT_ONCE] = some - rest
    return scores


def per_class_auc(logits: Floats, labels: NDArray[np.integer], weights: Floats) -> tuple[float, ...]:
    """Return the area under the curve of each class against the rest, of logits `(n, k)`."""
    scores = class_scores(logits)
    return tuple(roc_auc(scores[:, k], labels == k, weights) for k in range(scores.shape[1]))


def evaluate_binary(
    scores: Floats,
    is_signal: Mask,
    weights: Floats,
    *,
    counted: Mask | None = None,
    bins: Mapping[str, Mask] | None = None,
    signal_efficiency: float = SIGNAL_EFFICIENCY,
    validation: Merits | None = None,
) -> Merits:
    """Return the figures of merit of `(n,)` logits of two classes.

    Args:
        scores: Logits of the signal.
        is_signal: Which rows are signal.
        weights: Of the rows.
        counted: Rows that count; all, if not given.
        bins: Parts of the rows, by name, for ``Merits.by_bin``.
        signal_efficiency: What the working points must reach; unused where they are frozen.
        validation: Merits whose working points are frozen and applied here; without them they are chosen here.
    """
    counts = np.ones(len(scores), dtype=np.bool_) if counted is None else counted
    main = scores[counts], is_signal[counts], weights[counts]
    if validation is None:
        threshold: float | None = working_point(*main, signal_efficiency)
        all_rows_threshold: float | None = working_point(scores, is_signal, weights, signal_efficiency)
    else:
        threshold, all_rows_threshold = validation.threshold, validation.all_rows_threshold
    if threshold is None or all_rows_threshold is None:
        raise ValueError("the validation merits have no working point: they are of more than two classes")
    by_bin = []
    for name, rows in (bins or {}).items():
        part = rows & counts & ~is_signal
        has_weight = bool(np.any(weights[part] > 0))
        by_bin.append((name, efficiency(scores[part], weights[part], threshold) if has_weight else None))
    return Merits(
        roc_auc=roc_auc(*main),
        average_precision=average_precision(*main),
        accuracy=accuracy(main[0], main[1].astype(np.int64), main[2]),
        log10_error=smooth_log10_background_efficiency(*main, signal_efficiency),
        threshold=threshold,
        signal_efficiency=efficiency(main[0][main[1]], main[2][main[1]], threshold),
        background_efficiency=background_efficiency(*main, threshold),
        all_rows_threshold=all_rows_threshold,
        all_rows_background_efficiency=background_efficiency(scores, is_signal, weights, all_rows_threshold),
        by_bin=tuple(by_bin),
    )


def evaluate_multiclass(
    logits: Floats, labels: NDArray[np.integer], weights: Floats, *, counted: Mask | None = None
) -> Merits:
    """Return the figures of merit of `(n, k)` logits of k classes, of the counted rows (all, if not given)."""
    counts = np.ones(len(logits), dtype=np.bool_) if counted is None else counted
    logits, labels, weights = logits[counts], labels[counts], weights[counts]
    scores, right = class_scores(logits), accuracy(logits, labels, weights)
    aucs = per_class_auc(logits, labels, weights)
    precisions = [average_precision(scores[:, k], labels == k, weights) for k in range(len(aucs))]
    floor = 0.5 / np.count_nonzero(weights)  # half a row of mean weight
    return Merits(
        roc_auc=float(np.mean(aucs)),
        average_precision=float(np.mean(precisions)),
        accuracy=right,
        log10_error=float(np.log10(max(1 - right, floor))),
        per_class_auc=aucs,
    )


def evaluate(
    dataset: Dataset,
    rows: NDArray[np.int64],
    logits: Floats,
    *,
    bins: Mapping[str, Mask] | None = None,
    signal_efficiency: float = SIGNAL_EFFICIENCY,
    validation: Merits | None = None,
) -> Merits:
    """Return the figures of merit of a network's logits `(len(rows), n_outputs)` on some rows of a data set.

    See :func:`evaluate_binary`; ``bins`` are masks over ``rows``.
    """
    labels, weights, counted = dataset.labels[rows], dataset.weights[rows], dataset.counted[rows]
    if dataset.n_classes > 2:
        return evaluate_multiclass(logits, labels, weights, counted=counted)
    return evaluate_binary(
        logits.reshape(len(rows)),
        labels == 1,
        weights,
        counted=counted,
        bins=bins,
        signal_efficiency=signal_efficiency,
        validation=validation,
    )

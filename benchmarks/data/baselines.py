"""What simple methods reach on the reference task: ``python -m benchmarks.data.baselines``.

Writes ``benchmarks/data/baselines.csv``, a row for each pile-up, feature set, method, definition and signal efficiency.
Rows that are there already are kept, so that an interrupted run continues; delete the file to start over.

Methods learn on all training rows and are tuned on validation. Working points are set on validation and applied to
test. Intervals (95 %) resample showers, the validation electrons that set the threshold and the test pions alike.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas_fpga.data import SUBSETS, Dataset, load_hgcal

OUT = Path(__file__).with_name("baselines.csv")
PILEUPS = (200, 0)
SIGNAL_EFFICIENCIES = (0.95, 0.99)
RESAMPLINGS = 1000
SEED = 1

Scores = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Baseline:
    """One row of the table. Efficiencies are of test rows, the threshold is of validation rows."""

    pileup: int
    features: str
    method: str
    definition: str
    signal_efficiency: float
    pion_efficiency: float
    low: float
    high: float
    electron_efficiency: float
    pion_rows: int
    pion_showers: int
    settings: str
    seconds: float


def boosted_trees(data: Dataset) -> tuple[Scores, str]:
    """Histogram gradient boosting, stopped early on validation; the best of a small grid by validation loss."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    train, validation = _rows(data, "train"), _rows(data, "validation")
    weights = _balanced(data, train)
    best: tuple[float, HistGradientBoostingClassifier, str] | None = None
    for leaves in (4, 7, 15):
        for max_features in (0.5, 1.0):
            model = HistGradientBoostingClassifier(
                learning_rate=0.05,
                max_leaf_nodes=leaves,
                max_features=max_features,
                min_samples_leaf=50,
                l2_regularization=10.0,
                max_iter=3000,
                early_stopping=True,
                n_iter_no_change=50,
                random_state=SEED,
            )
            model.fit(
                data.features[train],
                data.labels[train],
                sample_weight=weights[train],
                X_val=data.features[validation],
                y_val=data.labels[validation],
                sample_weight_val=weights[validation],
            )
            loss = -float(model.validation_score_.max())
            if best is None or loss < best[0]:
                best = loss, model, f"{leaves} leaves, {max_features:g} of the features, {model.n_iter_} trees"
    assert best is not None
    return best[1].decision_function(data.features), best[2]


def logistic_regression(data: Dataset) -> tuple[Scores, str]:
    """Linear in log(1 + sum / scale), standardised; scale and penalty by validation loss."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, validation = _rows(data, "train"), _rows(data, "validation")
    weights = _balanced(data, train)
    best: tuple[float, Scores, str] | None = None
    for scale_mip in (1.0, 10.0, 100.0, 1000.0):
        features = np.log1p(data.features / scale_mip, dtype=np.float64)
        for c in (0.01, 1.0, 100.0):
            model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=5000))
            model.fit(features[train], data.labels[train], logisticregression__sample_weight=weights[train])
            scores = model.decision_function(features)
            electron = model.predict_proba(features[validation])[:, 1]
            loss = log_loss(data.labels[validation], electron, sample_weight=weights[validation])
            if best is None or loss < best[0]:
                best = loss, scores, f"log(1 + MIP/{scale_mip:g}), C {c:g}"
    assert best is not None
    return best[1], best[2]


def shower_depth(data: Dataset) -> tuple[Scores, str]:
    """A cut on the energy-weighted mean CE-E layer and, where CE-H is given, one on H/E as tight for electrons.

    The score is the share of training electrons that are deeper (or have more H/E, whichever share is smaller).
    """
    train = _rows(data, "train")
    electrons = train[data.labels[train] == 1]
    ce_e, ce_h = data.features[:, :13].astype(np.float64), data.features[:, 13:].sum(axis=1, dtype=np.float64)
    energy = np.maximum(ce_e.sum(axis=1), 1e-3)
    observables = [ce_e @ np.arange(1, 26, 2) / energy]
    if data.features.shape[1] > 13:
        observables.append(ce_h / energy)
    shares = []
    for observable in observables:
        known = np.sort(observable[electrons])
        # Between the electrons a share is interpolated, beyond the last of them it falls on: no ties at zero.
        place = np.searchsorted(known, observable, side="left")
        beyond = np.maximum(observable - known[-1], 0) / known[-1]
        shares.append(1 - place / len(known) - beyond)
    return np.min(shares, axis=0), "mean layer" + (" and H/E, equally tight" if len(observables) > 1 else "")


METHODS: dict[str, Callable[[Dataset], tuple[Scores, str]]] = {
    "boosted trees": boosted_trees,
    "logistic regression": logistic_regression,
    "shower depth, H/E": shower_depth,
}


def working_point(scores: Scores, weights: NDArray[np.float64], efficiency: float) -> float:
    """Return the highest threshold that keeps at least this weighted share of signal ``scores``; ties stay together."""
    order = np.argsort(-scores, kind="stable")
    kept = np.cumsum(weights[order])
    return float(scores[order][np.searchsorted(kept, efficiency * kept[-1] * (1 - 1e-12))])


def measure(data: Dataset, scores: Scores, counted: NDArray[np.bool_], efficiency: float) -> dict[str, float]:
    """Return the test figures of a working point set on validation, with a 95 % interval over showers."""
    validation, test = _rows(data, "validation"), _rows(data, "test")
    validation, test = validation[counted[validation]], test[counted[test]]
    signal = validation[data.labels[validation] == 1]
    electron, pion = test[data.labels[test] == 1], test[data.labels[test] == 0]
    threshold = working_point(scores[signal], np.ones(len(signal)), efficiency)
    rng = np.random.default_rng(SEED)
    signal_draws, pion_draws = (_Resampler(data.groups[rows]) for rows in (signal, pion))
    resampled = np.empty(RESAMPLINGS)
    for i in range(RESAMPLINGS):
        moved = working_point(scores[signal], signal_draws.weights(rng), efficiency)
        weights = pion_draws.weights(rng)
        resampled[i] = weights[scores[pion] >= moved].sum() / weights.sum()
    low, high = np.quantile(resampled, (0.025, 0.975))
    return {
        "pion_efficiency": float((scores[pion] >= threshold).mean()),
        "low": float(low),
        "high": float(high),
        "electron_efficiency": float((scores[electron] >= threshold).mean()),
        "pion_rows": len(pion),
        "pion_showers": len(np.unique(data.groups[pion])),
    }


class _Resampler:
    """Draws showers with replacement; a row weighs as often as its shower was drawn."""

    def __init__(self, groups: Rows) -> None:
        showers, self._member = np.unique(groups, return_inverse=True)
        self._n = len(showers)

    def weights(self, rng: np.random.Generator) -> NDArray[np.float64]:
        drawn = np.bincount(rng.integers(self._n, size=self._n), minlength=self._n)
        return drawn[self._member].astype(np.float64)


def _rows(data: Dataset, subset: str) -> Rows:
    assert data.subset is not None
    return np.flatnonzero(data.subset == SUBSETS.index(subset))  # type: ignore[arg-type]


def _balanced(data: Dataset, train: Rows) -> NDArray[np.float64]:
    """Weights that give both classes the same total in training."""
    share = np.bincount(data.labels[train]) / len(train)
    return (0.5 / share)[data.labels]


def _done() -> set[tuple[int, str, str]]:
    """Return the (pile-up, features, method) that are in the file; each has all its rows written at once."""
    if not OUT.exists():
        return set()
    with OUT.open(newline="") as file:
        return {(int(row["pileup"]), row["features"], row["method"]) for row in csv.DictReader(file)}


def main() -> None:
    done = _done()
    new = not OUT.exists()
    with OUT.open("a", newline="") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Baseline)])
        if new:
            table.writeheader()
        for pileup in PILEUPS:
            for features in ("ce-e", "ce-e+ce-h"):
                data = load_hgcal(pileup, features)
                for method, score in METHODS.items():
                    if (pileup, features, method) in done:
                        continue
                    started = time.perf_counter()
                    scores, settings = score(data)
                    seconds = time.perf_counter() - started
                    rows = [
                        Baseline(
                            pileup=pileup,
                            features=features,
                            method=method,
                            definition=definition,
                            signal_efficiency=efficiency,
                            settings=settings,
                            seconds=seconds,
                            **measure(data, scores, counted, efficiency),
                        )
                        for definition, counted in (
                            ("candidates", data.counted),
                            ("all showers", np.ones(len(data.labels), np.bool_)),
                        )
                        for efficiency in SIGNAL_EFFICIENCIES
                    ]
                    table.writerows(
                        {k: f"{v:.5g}" if isinstance(v, float) else v for k, v in asdict(row).items()} for row in rows
                    )
                    file.flush()
                    print(f"{pileup:4d} {features:10s} {method:20s} {settings} {seconds:.0f} s")
                    for row in rows:
                        at = f"{row.definition} at {row.signal_efficiency:g}"
                        print(f"     {at:22s} {row.pion_efficiency:.4f} ({row.low:.4f} to {row.high:.4f})")


if __name__ == "__main__":
    main()

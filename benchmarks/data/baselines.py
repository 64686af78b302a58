"""What simple methods reach on every data set: ``python -m benchmarks.data.baselines``.

Writes ``benchmarks/data/baselines.csv``, of ``hgcal`` a row for each pile-up, feature set, method, definition and
signal efficiency, and ``baselines_classes.csv``, of ``jets`` and digits a row for each method with its accuracy. The
scores of every method are kept under ``runs/baselines``, so that an interrupted run continues and the figures can
be worked out anew without training; delete that folder to start over (about a quarter of an hour on one core).

Methods learn on all training rows and are tuned on validation. Working points are set on validation and applied to
test. Intervals (95 %) resample the showers of both: each resample of validation sets the threshold of one of test. An
accuracy needs no working point; its interval resamples the events of test (jets) or its rows (digits).
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.data._tasks import FEATURE_SETS, PILEUPS, SEED, SEVERAL_CLASSES, Judge, balanced, transformations
from nas_fpga.data import Dataset, load_hgcal, split

OUT = Path(__file__).with_name("baselines.csv")
OUT_CLASSES = Path(__file__).with_name("baselines_classes.csv")
SCORES = Path("runs/baselines")
DEFINITIONS = ("candidates", "all showers")
SIGNAL_EFFICIENCIES = (0.95, 0.99)

Scores = NDArray[np.float64]


def boosted_trees(data: Dataset) -> tuple[Scores, str]:
    """Histogram gradient boosting, stopped early on validation; the best of a small grid by validation loss."""
    fits = [fit_boosted_trees(data, leaves, share) for leaves in (4, 7, 15) for share in (0.5, 1.0)]
    _, scores, settings = min(fits, key=lambda fit: fit[0])
    return scores, settings


def fit_boosted_trees(data: Dataset, leaves: int, max_features: float) -> tuple[float, Scores, str]:
    """Return validation loss, scores of all rows and settings of trees with so many leaves and features at a node."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    rows = split(data, SEED)
    weights = balanced(data, rows.train)
    model = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_leaf_nodes=leaves,
        max_features=max_features,
        min_samples_leaf=min(50, len(rows.train) // 100),
        l2_regularization=10.0,
        max_iter=3000,
        early_stopping=True,
        n_iter_no_change=50,
        random_state=SEED,
    )
    model.fit(
        data.features[rows.train],
        data.labels[rows.train],
        sample_weight=weights[rows.train],
        X_val=data.features[rows.validation],
        y_val=data.labels[rows.validation],
        sample_weight_val=weights[rows.validation],
    )
    settings = f"{leaves} leaves, {max_features:g} of the features, {model.n_iter_} trees"
    return -float(model.validation_score_.max()), model.decision_function(data.features), settings


def logistic_regression(data: Dataset) -> tuple[Scores, str]:
    """Linear in standardised features, logarithms of calorimeter sums; scale and penalty by validation loss."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = split(data, SEED)
    weights = balanced(data, rows.train)
    best: tuple[float, Scores, str] | None = None
    for transformation, features in transformations(data):
        for c in (0.01, 1.0, 100.0):
            model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=5000))
            model.fit(
                features[rows.train],
                data.labels[rows.train],
                logisticregression__sample_weight=weights[rows.train],
            )
            probabilities = model.predict_proba(features[rows.validation])
            loss = log_loss(data.labels[rows.validation], probabilities, sample_weight=weights[rows.validation])
            if best is None or loss < best[0]:
                best = loss, model.decision_function(features), f"{transformation}, C {c:g}"
    assert best is not None
    return best[1], best[2]


def shower_depth(data: Dataset) -> tuple[Scores, str]:
    """A cut on the energy-weighted mean CE-E layer and, where CE-H is given, one on H/E as tight for electrons.

    The score is the share of training electrons that are deeper (or have more H/E, whichever share is smaller).
    """
    train = split(data, SEED).train
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


GENERAL_METHODS: dict[str, Callable[[Dataset], tuple[Scores, str]]] = {
    "boosted trees": boosted_trees,
    "logistic regression": logistic_regression,
}
METHODS = GENERAL_METHODS | {"shower depth, H/E": shower_depth}


@dataclass(frozen=True, eq=False)
class Scored:
    """What a method makes of a data set: scores of all rows, the settings that were chosen, and the time it took."""

    scores: Scores
    settings: str
    seconds: float

    @staticmethod
    def path(data: Dataset, method: str) -> Path:
        """Return where the scores are kept; another data set has another name."""
        name = method.replace(",", "").replace("/", "-").replace(" ", "_")
        return SCORES / f"{name}_{data.fingerprint()[:12]}.npz"

    @classmethod
    def of(cls, data: Dataset, method: str) -> Scored:
        """Return the kept scores, or train and keep them."""
        path = cls.path(data, method)
        if not path.exists():
            started = time.perf_counter()
            scores, settings = METHODS[method](data)
            cls(scores, settings, time.perf_counter() - started).save(path)
        with np.load(path, allow_pickle=False) as kept:
            return cls(kept["scores"], str(kept["settings"]), float(kept["seconds"]))

    def save(self, path: Path) -> None:
        """Write the scores in one step."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, scores=self.scores, settings=self.settings, seconds=self.seconds)
        temporary.replace(path)


def measure(data: Dataset, scores: Scores, definition: str, efficiency: float) -> dict[str, float]:
    """Return the test figures of a working point set on validation, with a 95 % interval over showers."""
    if definition == "all showers":
        data = replace(data, counted=np.ones(len(data.labels), np.bool_))
    judge = Judge.of(data, efficiency)
    _, merits = judge.merits(scores)
    low, high = judge.interval(scores)
    test = judge.rows.test
    pions = test[data.counted[test] & (data.labels[test] == 0)]
    assert merits.signal_efficiency is not None
    return {
        "pion_efficiency": merits.error,
        "low": low,
        "high": high,
        "electron_efficiency": merits.signal_efficiency,
        **{f"pion_efficiency {name}": value for name, value in merits.by_bin},
        "pion_rows": len(pions),
        "pion_showers": len(np.unique(data.groups[pions])),
    }


def measure_accuracy(data: Dataset, scores: Scores) -> dict[str, float]:
    """Return the accuracy on validation and test, with a 95 % interval over groups of test."""
    judge = Judge.of(data)
    validation, test = judge.merits(scores)
    low, high = judge.interval(scores)
    return {
        "validation": validation.accuracy,
        "accuracy": test.accuracy,
        "low": 1 - high,
        "high": 1 - low,
        "rows": len(judge.rows.test),
        "groups": len(np.unique(data.groups[judge.rows.test])),
    }


Table = list[dict[str, str | float]]


def hgcal_table() -> Table:
    table: Table = []
    for pileup in PILEUPS:
        for features in FEATURE_SETS:
            data = load_hgcal(pileup, features)
            for method in METHODS:
                scored = Scored.of(data, method)
                print(f"{pileup:4d} {features:10s} {method:20s} {scored.settings} {scored.seconds:.0f} s", flush=True)
                for definition in DEFINITIONS:
                    for efficiency in SIGNAL_EFFICIENCIES:
                        figures = measure(data, scored.scores, definition, efficiency)
                        row = {"pileup": pileup, "features": features, "method": method, "definition": definition}
                        row |= {"signal_efficiency": efficiency, **figures}
                        table.append(row | {"settings": scored.settings, "seconds": scored.seconds})
                        at, value = f"{definition} at {efficiency:g}", figures["pion_efficiency"]
                        print(f"     {at:22s} {value:.4f} ({figures['low']:.4f} to {figures['high']:.4f})", flush=True)
    return table


def classes_table() -> Table:
    table: Table = []
    for task in SEVERAL_CLASSES:
        data = task.load()
        for method in GENERAL_METHODS:
            scored = Scored.of(data, method)
            figures = measure_accuracy(data, scored.scores)
            row = {"data": task.name, "features": task.features, "method": method, **figures}
            table.append(row | {"settings": scored.settings, "seconds": scored.seconds})
            print(f"{task.name:15s} {method:20s} {scored.settings} {scored.seconds:.0f} s", flush=True)
            print(f"     {figures['accuracy']:.4f} ({figures['low']:.4f} to {figures['high']:.4f})", flush=True)
    return table


def write(table: Table, path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in row.items()} for row in table)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    write(classes_table(), OUT_CLASSES)
    write(hgcal_table(), OUT)


if __name__ == "__main__":
    main()

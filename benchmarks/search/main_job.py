"""Judges a finished study of the README's first command: ``python -m benchmarks.search.main_job runs/hgcal-2000-1``.

Writes ``main_job.json`` (what was trained, the front, the knee), ``main_job_front.csv`` (the study's own) and
``docs/front.png``. The JSON file compares the point that is most precise on validation with scikit-learn's boosted
trees on the same split: the trees of ``benchmarks/data/baselines.py``, chosen on validation among six settings (two
minutes, kept under ``runs/baselines``). Both working points are set on validation and applied to test; the interval of
the ratio of background efficiencies is paired: both meet the same resamples of showers, of validation for the working
points and of test for the efficiencies.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._provenance import provenance
from benchmarks.data.baselines import Scored
from nas_fpga.errors import NasFpgaError
from nas_fpga.study import FrontRow, Setup, StudyOutcome, StudyStorage, read_outcome
from nas_fpga.training import GroupBootstrap, Interval, ratio_interval

HERE = Path(__file__).parent
SUMMARY = HERE / "main_job.json"
FRONT = HERE / "main_job_front.csv"
PLOT = HERE.parents[1] / "docs" / "front.png"

Array = NDArray[np.float64]

# Okabe and Ito, "Color universal design" (2008): told apart with any colour vision.
ORANGE, GREEN, BLUE, VERMILION = "#E69F00", "#009E73", "#0072B2", "#D55E00"


@dataclass(frozen=True)
class Verdict:
    """Background efficiency of one method on test, at the working point of validation, with its 95 % interval."""

    background_efficiency: float
    interval: Interval
    signal_efficiency: float


def judge(outcome: StudyOutcome) -> dict[str, Any]:
    """Compare the point that is most precise on validation with boosted trees, on test."""
    setup = outcome.setup
    row = most_precise(outcome.front)
    with StudyStorage(outcome.folder) as storage:
        network = storage.load_network(row.trial, row.point.network)
    trees = Scored.of(setup.dataset, "boosted trees")
    validation, test = setup.split.validation, setup.split.test
    ours = [network.logits(setup.dataset.features[rows]).reshape(-1) for rows in (validation, test)]
    theirs = [trees.scores[rows] for rows in (validation, test)]
    bootstraps = setup.bootstrap("validation"), setup.bootstrap("test")
    replicates = [frozen_replicates(*bootstraps, *scores) for scores in (ours, theirs)]
    verdicts = [verdict(setup, *scores, errors) for scores, errors in zip((ours, theirs), replicates, strict=True)]
    low, high = ratio_interval(*replicates)
    ratio = verdicts[0].background_efficiency / verdicts[1].background_efficiency
    return {
        "point": row.point.name,
        "network": str(row.trial.candidate),
        "ours": vars(verdicts[0]),
        "boosted_trees": vars(verdicts[1]) | {"settings": trees.settings},
        "ratio": ratio,
        "ratio_interval_95": [low, high],
        "not_significantly_worse": low <= 1,
        "upper_end_at_most_1.3": high <= 1.3,
    }


def most_precise(front: Sequence[FrontRow]) -> FrontRow:
    """Return the point of best figure of merit on validation; of equals the cheapest."""
    return min(front, key=lambda row: (row.point.error, row.share))


def frozen_replicates(
    validation: GroupBootstrap, test: GroupBootstrap, validation_scores: Array, test_scores: Array
) -> Array:
    """Return background efficiencies in resamples of test, each at the working point of a resample of validation."""
    return test.errors(test_scores, validation.thresholds(validation_scores))


def verdict(setup: Setup, validation_scores: Array, test_scores: Array, replicates: Array) -> Verdict:
    chosen = setup.evaluate(validation_scores, "validation")
    merits = setup.evaluate(test_scores, "test", validation=chosen)
    low, high = np.quantile(replicates, [0.025, 0.975])
    assert merits.signal_efficiency is not None
    return Verdict(merits.error, (float(low), float(high)), merits.signal_efficiency)


def summarise(outcome: StudyOutcome) -> dict[str, Any]:
    """Return what was trained and what came of it."""
    trials = outcome.trials
    with StudyStorage(outcome.folder) as storage:
        storage.open(write=False)
        ran_with = storage.versions()
    return {
        "study": outcome.folder.name,
        "study_versions": ran_with,
        "trials": len(trials),
        "proposed_by": Counter(trial.proposed_by for trial in trials),
        "failed": sum(trial.state == "failed" for trial in trials),
        "largest_trained_neurons": max(t.candidate.n_neurons for t in trials if t.state == "complete"),
        "trained_above_500_neurons": sum(t.candidate.n_neurons > 500 for t in trials if t.state == "complete"),
        "training_s": round(sum(trial.outcome.duration_s for trial in trials), 1),
        "best": outcome.best.point.name,
        "knee": str(outcome.knee),
        "front": [outcome.record(row) for row in outcome.front],
    }


# -- plot ----------------------------------------------------------------------------------------------------------


def short(topology: Sequence[int], longest: int = 4) -> str:
    """Return `64-32-32`, or for more than ``longest`` layers both ends: `38-174-..-11-1`."""
    layers = [str(width) for width in topology]
    if len(layers) > longest:
        layers = [*layers[: longest // 2], "..", *layers[-(longest // 2) :]]
    return "-".join(layers)


def spread_out(values: Sequence[float], n: int) -> list[int]:
    """Return indices of at most ``n`` of the ascending values, the ends among them, even on a log scale."""
    logs = np.log(values)
    nearest = [int(np.abs(logs - at).argmin()) for at in np.linspace(logs[0], logs[-1], n)]
    return list(dict.fromkeys(nearest))


def plot(outcome: StudyOutcome, path: Path) -> None:
    """Draw the front over the resource axis, and all trained networks over their neurons."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    target, front = outcome.setup.target, outcome.front
    trained = [(trial, point) for trial in outcome.trials if (point := trial.primary(target)) is not None]
    errors = np.array([point.error for _, point in trained])
    shares = np.array([point.mapped.figures.share(target) for _, point in trained])
    neurons = np.array([trial.candidate.n_neurons for trial, _ in trained])
    fits = np.array([point.mapped.figures.is_feasible(target) for _, point in trained])
    front_errors = np.array([row.point.error for row in front])
    front_shares = np.array([row.share for row in front])
    front_neurons = np.array([row.trial.candidate.n_neurons for row in front])
    bootstrap = outcome.setup.bootstrap("validation")
    with StudyStorage(outcome.folder) as storage:
        scores = [storage.load_scores(row.trial.number, row.point.network) for row in front]
    ends = np.array([np.quantile(bootstrap.errors(values), [0.16, 0.84]) for values in scores]).T
    bars = np.maximum([front_errors - ends[0], ends[1] - front_errors], 0)

    mpl.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False})
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.4), sharey=True, width_ratios=(3, 2), layout="constrained")
    test = np.array([row.test.error for row in front])
    top = 1.5 * max(front_errors.max(), test.max(), np.median(errors))
    for axis, x, front_x in ((left, shares, front_shares), (right, neurons, front_neurons)):
        for chosen, marker, colour, label in (
            (fits & (errors < top), "o", "0.68", "trained networks"),
            (fits & (errors >= top), "^", "0.68", "above this range"),
            (~fits, "x", "0.8", "over the limits"),
        ):
            if chosen.any():
                clipped = np.minimum(errors[chosen], top)
                axis.scatter(x[chosen], clipped, s=11, lw=0.8, color=colour, marker=marker, label=label, zorder=1)
        best = next(i for i, row in enumerate(front) if row.is_best)
        star = {"marker": "*", "s": 140, "color": ORANGE, "edgecolors": "k", "lw": 0.7, "zorder": 5}
        axis.scatter(front_x[best], front_errors[best], label="best", **star)
        axis.set(xscale="log", yscale="log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1,) if x.max() > 30 * x.min() else (1, 2, 5)))
        axis.xaxis.set_minor_formatter(NullFormatter())
    left.step(front_shares, front_errors, where="post", color=BLUE, lw=1.2, zorder=2)
    left.errorbar(
        front_shares, front_errors, bars, fmt="o", ms=4, lw=1.2, color=BLUE, label="front on validation, 68 %", zorder=3
    )
    left.scatter(
        front_shares, test, s=26, facecolors="none", edgecolors=VERMILION, lw=1.2, label="front on test", zorder=4
    )
    left.set_ylim(errors.min() / 1.7, 1.05 * top)
    for i in spread_out(front_shares, 5):
        candidate = front[i].trial.candidate
        text = f"{short(candidate.topology)}\n{candidate.bits}"
        left.annotate(text, (front_shares[i], ends[0, i]), (0, -3), textcoords="offset points", fontsize=8,
                      ha="center", va="top", color=BLUE)  # fmt: skip
    background, signal = outcome.setup.dataset.class_names
    at = f"{outcome.setup.definition.signal_efficiency:.0%}".replace("%", " %")
    left.set_ylabel(f"{background} efficiency at {at} {signal}s")
    left.set_xlabel(f"largest share of the limits ({target.part.name.split('-')[0].upper()}, all copies)")
    left.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter(FuncFormatter(lambda error, _: f"{error:g}"))
    left.yaxis.set_minor_formatter(NullFormatter())

    right.scatter(front_neurons, front_errors, s=18, color=BLUE, zorder=3)
    knee = outcome.knee
    if knee.neurons < knee.largest:
        right.axvline(knee.neurons, color=GREEN, ls="--", lw=1.3, label=f"knee: {knee.neurons} neurons")
    right.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:g}"))
    right.set_xlabel("hidden neurons")
    handles = {}
    for axis in (left, right):
        handles |= {label: handle for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles, loc="outside upper center", ncols=min(6, len(handles)), fontsize=8.5,
                  frameon=False, columnspacing=1.2, handletextpad=0.3)  # fmt: skip
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=100, pil_kwargs={"optimize": True})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, help="folder of a finished study")
    folder = parser.parse_args().study
    try:
        outcome = read_outcome(folder, None, {})
    except NasFpgaError as error:
        sys.exit(str(error))
    if not all(trial.ended for trial in outcome.trials) or not (folder / "front.csv").exists():
        sys.exit(f"{folder} is not finished; continue it with: nas-fpga search --study {folder.name} --resume")
    summary = provenance() | summarise(outcome) | {"against_boosted_trees": judge(outcome)}
    SUMMARY.write_text(json.dumps(summary, indent=2) + "\n")
    shutil.copyfile(folder / "front.csv", FRONT)
    plot(outcome, PLOT)
    print(json.dumps(summary, indent=2))


if __name__ == "__main__":
    main()

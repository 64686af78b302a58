"""Judges a finished study of the README's first command: ``python -m benchmarks.search.main_job runs/hgcal-2000-1``.

Writes ``main_job.json`` (what was trained, the front, the knee) and ``main_job_front.csv`` (the study's own). The JSON
file compares the point that is most precise on validation with scikit-learn's boosted trees on the same split: those
of ``benchmarks/data/baselines.py``, chosen on validation among six settings (two minutes, kept under
``runs/baselines``). Both working points are set on validation and applied to test; the interval of the ratio of
background efficiencies is paired: both meet the same resamples of showers, of validation for the working points and of
test for the efficiencies.
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

Array = NDArray[np.float64]


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
        "network": row.trial.name_of(row.point),
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
    print(json.dumps(summary, indent=2))


if __name__ == "__main__":
    main()

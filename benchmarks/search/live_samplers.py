"""One search with each of the four samplers, with the same seed: how they run, not which is better (one run each).

    python -m benchmarks.search.live_samplers run    # resumable; a study that is finished is not repeated
    python -m benchmarks.search.live_samplers plot   # live_samplers.csv, .json and .png

``run`` passes further options on to ``nas-fpga search``, such as ``--epochs 5``. The grid has the reference work's
three layers, but widths that suit the budget: 125 points of up to 192 neurons, in shuffled order.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._provenance import provenance
from nas_fpga.errors import NasFpgaError
from nas_fpga.samplers import hypervolume
from nas_fpga.study import Setup, StudyStorage, load_data

HERE = Path(__file__).parent
TABLE = HERE / "live_samplers.csv"
SUMMARY = HERE / "live_samplers.json"
PLOT = HERE / "live_samplers.png"
RUNS = Path("runs")

WIDTHS = "4,8,16,32,64"
SAMPLERS = {"gp": (), "random": (), "grid": ("--grid", "x".join([WIDTHS] * 3)), "bayesian-optimization": ()}
BUDGET, N_TRIALS, SEED = 200, 40, 1

# Okabe and Ito, "Color universal design" (2008), with line styles for prints without colour.
STYLES = {
    "gp": ("#0072B2", "-"),
    "random": ("#D55E00", "--"),
    "grid": ("#009E73", "-."),
    "bayesian-optimization": ("#CC79A7", ":"),
}

Array = NDArray[np.float64]


def study_folder(sampler: str) -> Path:
    return RUNS / f"live-{sampler}"


def run(further: Sequence[str], n_trials: int) -> None:
    for sampler, options in SAMPLERS.items():
        folder = study_folder(sampler)
        there = exists(folder)
        if there and n_ended(folder) >= n_trials:
            print(f"{folder} is finished")
            continue
        command = [sys.executable, "-m", "nas_fpga", "search", "--sampler", sampler, *options]
        command += ["--polish", "0", *further]  # what polishing adds, no sampler proposed
        command += ["--budget", str(BUDGET), "--trials", str(n_trials), "--seed", str(SEED)]
        command += ["--runs", str(RUNS), "--study", folder.name] + ["--resume"] * there
        print(" ".join(command), flush=True)
        subprocess.run(command, check=True)


def exists(folder: Path) -> bool:
    with StudyStorage(folder) as storage:
        return storage.exists()


def n_ended(folder: Path) -> int:
    with StudyStorage(folder) as storage:
        storage.open(write=False)
        return sum(trial.ended for trial in storage.trials())


# -- plot ----------------------------------------------------------------------------------------------------------


def progress(errors: Array, log10_errors: Array, log10_shares: Array) -> tuple[Array, Array]:
    """Return the best error and the hypervolume after each trial, in the order of proposal.

    Args:
        errors: `(n,)` background efficiencies; NaN where a trial failed or nothing of it fits the limits.
        log10_errors: `(n,)` what the hypervolume is of; NaN likewise.
        log10_shares: `(n,)` log10 shares of the limits; NaN likewise.

    Returns:
        Best errors `(n,)`, NaN before the first that fits, and hypervolumes `(n,)`.
    """
    there = np.isfinite(errors)
    upto = [there & (np.arange(len(errors)) <= i) for i in range(len(errors))]
    return np.fmin.accumulate(errors), np.array([hypervolume(log10_errors[m], log10_shares[m]) for m in upto])


def read(sampler: str) -> list[dict[str, Any]]:
    """Return a row for each trial of a sampler's study."""
    with StudyStorage(study_folder(sampler)) as storage:
        definition = storage.open(write=False)
        trials = storage.trials()
    target = Setup(definition, load_data(definition.data)).target
    rows = []
    for trial in trials:
        if not trial.ended:
            sys.exit(f"{study_folder(sampler)} is not finished; run: python -m benchmarks.search.live_samplers run")
        row = {"sampler": sampler, "trial": trial.number, "candidate": str(trial.candidate)}
        row |= {"neurons": trial.candidate.n_neurons, "proposed_by": trial.proposed_by, "state": trial.state}
        point = trial.primary(target)
        fits = point is not None and point.mapped.figures.is_feasible(target)
        row |= {
            "fits": fits,
            "error": point.error if fits else np.nan,
            "log10_error": point.merits.log10_error if fits else np.nan,
            "log10_share": np.log10(point.mapped.figures.share(target)) if fits else np.nan,
            "training_s": trial.outcome.duration_s,
        }
        rows.append(row)
    columns = [np.array([row[name] for row in rows]) for name in ("error", "log10_error", "log10_share")]
    for row, best, volume in zip(rows, *progress(*columns), strict=True):
        row |= {"best_error": best, "hypervolume": volume}
    return rows


def plot() -> None:
    by_sampler = {sampler: read(sampler) for sampler in SAMPLERS}
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(by_sampler["gp"][0]))
        writer.writeheader()
        for rows in by_sampler.values():
            writer.writerows(
                {k: f"{v:.6g}" if isinstance(v, float | np.floating) else v for k, v in row.items()} for row in rows
            )
    summary = {
        sampler: {
            "trials": len(rows),
            "failed": sum(row["state"] == "failed" for row in rows),
            "over_the_limits": sum(row["state"] == "complete" and not row["fits"] for row in rows),
            "best_error": float(rows[-1]["best_error"]),
            "hypervolume": float(rows[-1]["hypervolume"]),
            "training_s": round(sum(row["training_s"] for row in rows), 1),
        }
        for sampler, rows in by_sampler.items()
    }
    text = json.dumps(provenance() | {"budget": BUDGET, "seed": SEED, "samplers": summary}, indent=2)
    SUMMARY.write_text(text + "\n")
    print(text)
    draw(by_sampler)


def draw(by_sampler: dict[str, list[dict[str, Any]]]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), sharex=True, layout="constrained")
    n_start = sum(row["proposed_by"] == "random start" for row in by_sampler["gp"])
    for axis, name, label in (
        (left, "best_error", "best pion efficiency at 95 % e, validation"),
        (right, "hypervolume", "hypervolume of the points that fit"),
    ):
        for sampler, rows in by_sampler.items():
            colour, style = STYLES[sampler]
            trials = np.arange(1, len(rows) + 1)
            values = [row[name] for row in rows]
            axis.step(trials, values, style, where="post", color=colour, lw=1.7, label=sampler)
        axis.axvline(n_start, color="0.6", lw=0.8, zorder=0)
        axis.set(xlabel="trials", ylabel=label)
        axis.grid(alpha=0.25)
    left.set_yscale("log")
    left.yaxis.set_major_formatter(lambda error, _: f"{error:g}")
    left.yaxis.set_minor_formatter(lambda error, _: f"{error:g}")
    left.tick_params(axis="y", which="both", labelsize=8)
    right.annotate("models propose", (n_start, 0.02), (3, 0), xycoords=("data", "axes fraction"),
                   textcoords="offset points", fontsize=8, color="0.4")  # fmt: skip
    left.legend(frameon=False, fontsize=8.5)
    figure.suptitle(f"One search each, budget {BUDGET} neurons, seed {SEED}", fontsize=10)
    figure.savefig(PLOT, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["run", "plot"])
    parser.add_argument("--trials", type=int, default=N_TRIALS, help=f"of each search (default: {N_TRIALS})")
    arguments, further = parser.parse_known_args()
    if arguments.action == "plot" and further:
        parser.error(f"unrecognized arguments: {' '.join(further)}")
    try:
        if arguments.action == "run":
            run(further, arguments.trials)
        else:
            plot()
    except NasFpgaError as error:
        sys.exit(str(error))
    except subprocess.CalledProcessError as error:  # the search has said why
        sys.exit(error.returncode)


if __name__ == "__main__":
    main()

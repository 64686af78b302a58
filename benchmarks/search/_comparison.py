"""What runs on tables say of their methods: curves of regret, mean ranks, tests, costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.search._methods import PEERS
from benchmarks.search._runs import Run
from benchmarks.search._statistics import holm, incumbents, mean_ranks, signed_rank
from benchmarks.search._tables import FCNET, HPOBENCH

SETS = {"dev": FCNET, "final": tuple(HPOBENCH), "both": (*FCNET, *HPOBENCH)}
N_TRAININGS = 100
STAGES = (25, 50, 100)  # trainings at which methods are ranked
REFERENCE = "gp"  # what others are tested against


def regret_curves(run: Run, judged_by: str) -> np.ndarray:
    """Return the regret of the incumbent after each of 100 trainings; a run that ended early stays where it was."""
    regrets = np.array(run.regret if judged_by == "all" else run.regret_unseen)[incumbents(run.shown)]
    return np.pad(regrets, (0, max(0, N_TRAININGS - len(regrets))), mode="edge")[:N_TRAININGS]


Medians = dict[tuple[str, str], np.ndarray]
"""Method and table to the median over seeds of the regret after each training."""


def medians(runs: Iterable[Run], judged_by: str) -> Medians:
    """Return the median curve of each method on each table."""
    curves = defaultdict(list)
    for run in runs:
        curves[run.method, run.table].append(regret_curves(run, judged_by))
    return {key: np.median(of, axis=0) for key, of in curves.items()}


def shortened(runs: Iterable[Run]) -> dict[str, int]:
    """Return the methods whose runs were to be shorter than 100 trainings, and how long the shortest is."""
    lengths: dict[str, int] = {}
    for run in runs:
        if not run.is_done(N_TRAININGS):
            lengths[run.method] = min(len(run.rows), lengths.get(run.method, N_TRAININGS))
    return lengths


def compare(runs: Sequence[Run], tables: Sequence[str], judged_by: str) -> list[dict[str, Any]]:
    """Return a line for each method that was run on all tables: mean ranks, tests against ours, costs.

    Methods of shorter runs are ranked among the others on the tables that they ran on, without a test, and change no
    other rank.
    """
    curves, short = medians(runs, judged_by), shortened(runs)
    names = sorted({run.method for run in runs})
    full = [name for name in names if name not in short and all((name, table) in curves for table in tables)]
    if not full:
        return []
    lines = []
    tested: dict[int, dict[str, float]] = {}
    for stage in STAGES:
        figures = np.array([[curves[name, table][stage - 1] for name in full] for table in tables])
        ours = figures[:, full.index(REFERENCE)] if REFERENCE in full else None
        if ours is not None:
            others = [name for name in full if name != REFERENCE]
            tested[stage] = holm({name: signed_rank(ours, figures[:, full.index(name)]) for name in others})
    for name in names:
        on = [table for table in tables if (name, table) in curves]
        if not on or (name not in full and name not in short):
            continue
        among = sorted({*full, name})
        line: dict[str, Any] = {
            "method": name,
            "tables": len(on),
            "seeds": len({r.seed for r in runs if r.method == name}),
        }
        for stage in STAGES:
            if stage > short.get(name, N_TRAININGS):
                continue
            figures = np.array([[curves[other, table][stage - 1] for other in among] for table in on])
            line[f"rank_{stage}"] = round(float(mean_ranks(figures)[among.index(name)]), 3)
            line[f"regret_{stage}"] = round(float(np.mean(figures[:, among.index(name)])), 4)
            if name in tested.get(stage, {}):
                line[f"p_{stage}"] = round(tested[stage][name], 4)
        of = [run for run in runs if run.method == name]
        trainings = sum(len(run.rows) for run in of)
        line["refused_%"] = round(100 * sum(run.refused for run in of) / trainings, 1)
        line["repeated_%"] = round(100 * sum(run.repeated for run in of) / trainings, 1)
        line["cpu_s"] = round(sum(sum(run.cpu_s) for run in of) / trainings, 4)
        lines.append(line)
    return sorted(lines, key=lambda line: line["rank_50"])


def plot(runs: Sequence[Run], path: Path) -> None:
    """Draw the median regret of each method against trainings: a row a budget, a column a set, means over tables."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    sets = [name for name in ("dev", "final") if any(run.table in SETS[name] for run in runs)]
    figure, axes = plt.subplots(
        2, len(sets), figsize=(7.5 * len(sets), 9), sharex=True, squeeze=False, constrained_layout=True
    )
    names = sorted({run.method for run in runs}, key=lambda name: (name in PEERS, name))
    colours = {name: plt.get_cmap("tab20")(i % 20) for i, name in enumerate(names)} | {REFERENCE: "black"}
    lines = {}
    for axis, halved, name in ((axes[r, c], r == 0, name) for r in range(2) for c, name in enumerate(sets)):
        here = [run for run in runs if run.table in SETS[name] and run.halved == halved]
        curves, short = medians(here, "all"), shortened(here)
        for method in names:
            on = [curves[method, table] for table in SETS[name] if (method, table) in curves]
            if len(on) < len(SETS[name]):
                continue
            end = short.get(method, N_TRAININGS)
            style = {"lw": 2.2 if method == REFERENCE else 1.3, "ls": "--" if method in PEERS else "-"}
            (lines[method],) = axis.plot(range(1, end + 1), np.mean(on, axis=0)[:end], color=colours[method], **style)
        axis.set(
            yscale="log",
            title=f"{name}: {'half' if halved else 'whole'} tables",
            xlabel="trainings",
            ylabel="regret, mean of table medians",
        )
        axis.grid(alpha=0.25, which="both")
    shown = [name for name in names if name in lines]  # some on the tables of one set alone
    figure.legend([lines[name] for name in shown], shown, frameon=False, fontsize=7.5, loc="outside right upper")
    figure.savefig(path, dpi=100)
    plt.close(figure)

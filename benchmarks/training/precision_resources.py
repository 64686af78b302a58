"""Precision against resources at equal CPU time: ``python -m benchmarks.training.precision_resources``.

Writes ``precision_resources.csv`` (all costed points), ``precision_resources.json`` (hypervolumes, ratios of LUTs) and
``precision_resources.png`` (fronts). 27 runs of at most 600 CPU seconds, and the costing of their points: two hours on
two cores. What has been run lies under ``precision_resources_runs`` and is not run again. ``--sides hgq`` takes one
core: started twice, under ``taskset`` and with other data sets or seeds, it takes both.

Every side has 600 CPU seconds, that is five minutes of two cores, for each data set and seed: those of all its
processes, their start and compilations included. It is CPU time and not wall time, so that the sides can be run on a
machine that has other things to do. When it is spent, what has ended counts.

``search``
    ``nas_fpga.search`` with its defaults: 100 trials, learned bits and polish included, where it gets that far.
``hgq``
    HGQ2 alone on 32-16, 64-32-32 and 128-64-64, the last one oversized and left to prune itself. Each has a third of
    the time in one long training in one process with one thread, which wastes least: learned bits with HGQ2's defaults,
    the pressure swept upwards, HGQ2's own Pareto callback. Keras on JAX, compiled, an epoch a call.
``uniform``
    The search without learned bits and polish. Where ``search`` ends before its time is spent, these are its own
    trials: polish changes none of them.

Rows, splits and input format are the same. Validation selects, test counts: background efficiency at 95 % signal
efficiency, or error rate for several classes. The resource is the LUTs of da4ml's adder graph of the trained network,
worked out when the time is spent, for at most twelve points of each front; networks of more than about 50,000 LUTs are
left out on all sides. Hypervolumes have the axes of the search,
with shares of one SLR.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._provenance import provenance
from benchmarks.training._arithmetic import cost_ratio, luts_at, paired_difference, volume
from benchmarks.training._cpu_time import run_for
from benchmarks.training._machine import (
    commits_of,
    cpu_name,
    environment,
    keep_agreed,
    read_json,
    start_module,
    write_json,
)
from benchmarks.training._points import Point, chosen_on_validation
from benchmarks.training._resource_sides import DATA, TOPOLOGIES, points_of_hgq, points_of_search
from nas_fpga.hardware import make_target
from nas_fpga.space import TrainingSettings

HERE = Path(__file__).parent
RUNS = Path("runs/training-resources")
SIDES = ("search", "hgq", "uniform")
SEEDS = (0, 1, 2)
CPU_S = 600.0
SEARCH = {"trials": 100}
STYLES = {"search": ("#0072B2", "o"), "hgq": ("#D55E00", "s"), "uniform": ("#009E73", "^")}
LABELS = {"search": "nas-fpga search", "hgq": "HGQ2 alone", "uniform": "search, uniform bits only"}


@dataclass(frozen=True)
class Plan:
    """What is run, and where it is kept.

    Attributes:
        runs: Folder to work in.
        out: Folder of the results, those of each run included.
        data: Names of data sets.
        sides: Which are run now.
        seeds: Of everything random.
        cpu_s: Of each side.
        options: Of the search.
    """

    runs: Path = RUNS
    out: Path = HERE
    data: tuple[str, ...] = tuple(DATA)
    sides: tuple[str, ...] = SIDES
    seeds: tuple[int, ...] = SEEDS
    cpu_s: float = CPU_S
    options: dict[str, Any] = field(default_factory=lambda: dict(SEARCH))

    def todo(self) -> list[tuple[str, int, str]]:
        """Return data set, seed and side in the order in which they are run."""
        return [(data, seed, side) for seed in self.seeds for data in self.data for side in self.sides]

    def result(self, data: str, seed: int, side: str) -> Path:
        """Return the file of a run."""
        return self.kept / data / f"{side}-{seed}.json"

    @property
    def kept(self) -> Path:
        """Folder of the runs' results."""
        return self.out / "precision_resources_runs"


def measure(plan: Plan) -> None:
    """Run what is missing."""
    keep_agreed(plan.kept, {"cpu_s": plan.cpu_s, "options": plan.options})
    for data, seed, side in plan.todo():
        path = plan.result(data, seed, side)
        if path.exists():
            continue
        folder = plan.runs / data / f"{side}-{seed}"
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
        print(f"{data}, seed {seed}, {side}", end=" ... ", flush=True)
        origin = provenance()
        result = (run_hgq if side == "hgq" else run_search)(plan, data, seed, side, folder)
        write_json(path, result | {"provenance": origin})
        print(f"{result['cpu_s']:.0f} CPU s, {len(result['points'])} points", flush=True)
        uniform = plan.result(data, seed, "uniform")
        if side == "search" and result["cpu_s"] < plan.cpu_s and not uniform.exists():
            # Less than the search with its polish: how much less is not known.
            result = {"cpu_s": None, "points": points_of_search(folder, polished=False)}
            write_json(uniform, result | {"provenance": origin})
        shutil.rmtree(folder)


def run_search(plan: Plan, data: str, seed: int, side: str, folder: Path) -> dict[str, Any]:
    """Run the search as a process; return the CPU time and the points."""
    specification = folder / "specification.json"
    given = {"side": side, "data": data, "seed": seed, "folder": str(folder), "options": plan.options}
    write_json(specification, given)
    cache = folder / "cache"  # nothing compiled before
    cache.mkdir()
    env = environment(XDG_CACHE_HOME=str(cache.resolve()), KERAS_BACKEND="jax")
    used = run_for(start_module("benchmarks.training._resource_sides", specification, env), plan.cpu_s)
    return {"cpu_s": used, "points": points_of_search(folder)}


def run_hgq(plan: Plan, data: str, seed: int, side: str, folder: Path) -> dict[str, Any]:
    """Train the topologies one after the other; return the CPU time and the points of their common front."""
    used, folders = 0.0, {}
    for topology in TOPOLOGIES:
        own = folders[topology] = folder / topology
        specification = own / "specification.json"
        given = {"side": side, "data": data, "seed": seed, "folder": str(own), "topology": topology}
        settings = vars(TrainingSettings())
        write_json(specification, given | {"settings": settings, "cpu_s": plan.cpu_s / len(TOPOLOGIES)})
        env = environment(one_thread=True, KERAS_BACKEND="jax")
        # It ends by itself after the epoch in which its share is spent.
        used += run_for(start_module("benchmarks.training._resource_sides", specification, env), float("inf"))
    return {"cpu_s": used, "points": points_of_hgq(data, seed, folders)}


# -- summary -------------------------------------------------------------------------------------------------------


def summarise(plan: Plan, limit: float) -> dict[str, Any]:
    """Return hypervolumes by side and seed, and ratios of LUTs, for the data sets that have been run.

    Args:
        plan: What is run.
        limit: LUTs that a share of 1 is.
    """
    summary: dict[str, Any] = {}
    for data in plan.data:
        seeds = [seed for seed in plan.seeds if all(plan.result(data, seed, side).exists() for side in SIDES)]
        if not seeds:
            continue
        fronts = {side: [chosen_on_validation(points(plan, data, seed, side)) for seed in seeds] for side in SIDES}
        volumes = {
            side: [volume([p["test_error"] for p in of], [p["luts"] for p in of], limit) for of in of_seeds]
            for side, of_seeds in fronts.items()
        }
        summary[data] = {
            "seeds": seeds,
            # A search that has polished its front ends before its time is spent.
            "commits": {side: commits_of(plan.result(data, seed, side) for seed in seeds) for side in SIDES},
            "cpu_s": {side: [read_json(plan.result(data, seed, side))["cpu_s"] for seed in seeds] for side in SIDES},
            "hypervolume": volumes,
            "search_minus": {s: vars(paired_difference(volumes["search"], volumes[s])) for s in SIDES[1:]},
            "luts_search_over": {
                "hgq": [lut_ratio(*pair) for pair in zip(fronts["search"], fronts["hgq"], strict=True)],
                # At the errors of HGQ2 too.
                "uniform": [
                    lut_ratio(ours, at_errors_of(uniform, hgq))
                    for ours, uniform, hgq in zip(fronts["search"], fronts["uniform"], fronts["hgq"], strict=True)
                ],
            },
        }
    return summary


def points(plan: Plan, data: str, seed: int, side: str) -> list[Point]:
    """Return the points of a run."""
    found: list[Point] = read_json(plan.result(data, seed, side))["points"]
    return found


def lut_ratio(ours: Sequence[Point], theirs: Sequence[Point]) -> dict[str, float | int | None]:
    """Return the geometric mean of our LUTs over theirs at their errors, and how many of these ours reaches."""
    if not ours or not theirs:
        return {"ratio": None, "reached": 0, "of": len(theirs)}
    sides = [([p["test_error"] for p in side], [p["luts"] for p in side]) for side in (ours, theirs)]
    ratio, reached, of = cost_ratio(*sides)
    return {"ratio": ratio if reached else None, "reached": reached, "of": of}


def at_errors_of(side: Sequence[Point], other: Sequence[Point]) -> list[Point]:
    """Return a front interpolated at the errors of another, where it reaches them."""
    if not side:
        return []
    errors = [point["test_error"] for point in other]
    luts = luts_at([p["test_error"] for p in side], [p["luts"] for p in side], errors)
    return [{"test_error": e, "luts": float(n)} for e, n in zip(errors, luts, strict=True) if np.isfinite(n)]


def write(plan: Plan) -> dict[str, Any]:
    """Write table, summary and plot of what has been run; return the summary."""
    columns = ["data", "side", "seed", "network", "validation_error", "test_error", "luts", "ebops"]
    rows = [
        {"data": data, "side": side, "seed": seed} | point
        for seed in plan.seeds
        for data in plan.data
        for side in SIDES
        if plan.result(data, seed, side).exists()
        for point in points(plan, data, seed, side)
    ]
    with (plan.out / "precision_resources.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    target = make_target()
    summary = provenance() | {
        "cpu": cpu_name(),
        "cpu_s": plan.cpu_s,
        "search": plan.options,
        "lut_limit": target.limits.lut,
        "data": summarise(plan, target.limits.lut),
    }
    write_json(plan.out / "precision_resources.json", summary)
    if rows:
        draw(rows, plan.out / "precision_resources.png")
    return summary


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(row["data"] for row in rows))
    figure, axes = plt.subplots(1, len(names), figsize=(4.5 * len(names), 4), squeeze=False, layout="constrained")
    for axis, name in zip(axes[0], names, strict=True):
        for side, (colour, marker) in STYLES.items():
            of_side = [row for row in rows if row["data"] == name and row["side"] == side]
            for k, seed in enumerate(sorted({row["seed"] for row in of_side})):
                kept = chosen_on_validation([row for row in of_side if row["seed"] == seed])
                label = LABELS[side] if k == 0 else None
                values = [p["luts"] for p in kept], [p["test_error"] for p in kept]
                axis.plot(*values, marker=marker, color=colour, lw=0.8, ms=3.5, alpha=0.8, label=label)
        error = "error rate" if name in ("jets", "digits") else "background efficiency at 95 % signal"
        axis.set(xscale="log", yscale="log", xlabel="LUTs of the adder graph", ylabel=f"{error}, test", title=name)
        axis.grid(alpha=0.25)
    axes[0][0].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=",".join(DATA), help="default: %(default)s")
    parser.add_argument("--sides", default=",".join(SIDES), help="to run now; default: %(default)s")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)), help="default: %(default)s")
    parser.add_argument("--cpu-s", type=float, default=CPU_S, help="of each side; default: %(default)s")
    parser.add_argument("--runs", type=Path, default=RUNS, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results; default: beside this file")
    given = parser.parse_args(arguments)
    os.environ.setdefault("KERAS_BACKEND", "jax")  # of the models that are costed
    names, sides = (tuple(name.strip() for name in text.split(",")) for text in (given.data, given.sides))
    plan = Plan(given.runs, given.out, names, sides, tuple(map(int, given.seeds.split(","))), given.cpu_s)
    measure(plan)
    everything = replace(plan, data=tuple(DATA), seeds=tuple(sorted({*SEEDS, *plan.seeds})))
    for name, of in write(everything)["data"].items():
        print(f"{name}: hypervolume {of['hypervolume']}, LUTs of the search over others {of['luts_search_over']}")


if __name__ == "__main__":
    main()

"""What training costs: ``python -m benchmarks.training.costs`` and ``python -m benchmarks.training.costs --memory``.

The first writes ``costs.csv`` and ``costs.json``: seconds a candidate against members of one program, depth, width,
rows, epochs and workers, one at a time, the others as for two layers of 32 neurons, 6 bits, 20 epochs, on one core. The
second writes ``memory.csv``: the memory of one process that trains 2,000 candidates in many programs. Both
write ``costs.png`` from what is there. About a quarter of an hour each. What has been measured lies under
``runs/training-costs`` and is not measured again; only the memory of one process has to be measured in one go.
"""

from __future__ import annotations

import argparse
import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks._provenance import provenance
from benchmarks.training._machine import (
    cpu_name,
    environment,
    keep_agreed,
    n_cores,
    read_json,
    run_modules,
    write_json,
)

HERE = Path(__file__).parent
RUNS = Path("runs/training-costs")
FIXED = {"members": 1, "depth": 2, "width": 32, "rows": 55_000, "epochs": 20, "workers": 1}
VARIED = {
    "members": (1, 2, 4, 8, 16),
    "depth": (1, 2, 3, 5, 8, 12, 15),
    "width": (4, 8, 16, 32, 64, 128, 256, 512),
    "rows": (5_500, 11_000, 27_500, 55_000, 110_000, 220_000),
    "epochs": (5, 10, 20, 50),
    "workers": (1, 2),
}
MEMORY_CANDIDATES = 2000
SETTLED = 200  # candidates after which memory should be flat


@dataclass(frozen=True)
class Plan:
    """What is measured, and where it is kept.

    Attributes:
        runs: Folder of what was measured.
        out: Folder of the results.
        fixed: What everything is while another thing varies.
        varied: Values of each thing.
        memory_candidates: How many candidates one process trains.
    """

    runs: Path
    out: Path
    fixed: dict[str, int]
    varied: dict[str, tuple[int, ...]]
    memory_candidates: int = MEMORY_CANDIDATES


def measure(plan: Plan) -> None:
    """Measure what is missing of the times."""
    keep_agreed(plan.runs, plan.fixed)
    for name, values in plan.varied.items():
        for value in values:
            path = plan.runs / f"{name}-{value}.json"
            if path.exists():
                continue
            print(f"{name} {value}", end=" ... ", flush=True)
            n_workers = value if name == "workers" else plan.fixed["workers"]
            results = run_points(plan, {"what": "seconds", **plan.fixed, name: value}, n_workers, path.with_suffix(""))
            # Workers share the candidates: their rates add up.
            rate = sum(1 / result["seconds_per_candidate"] for result in results)
            first_s = max(result["first_s"] for result in results)
            write_json(path, {"seconds_per_candidate": 1 / rate, "first_s": first_s, "provenance": provenance()})
            print(f"{1 / rate:.3f} s a candidate", flush=True)


def run_points(plan: Plan, given: dict[str, Any], n_processes: int, folder: Path) -> list[Any]:
    """Return what so many processes side by side measured."""
    shutil.rmtree(folder, ignore_errors=True)
    paths = []
    for k in range(n_processes):
        paths.append(folder / f"specification-{k}.json")
        write_json(paths[-1], given | {"process": k, "result": str(folder / f"result-{k}.json")})
    cache = folder / "cache"
    cache.mkdir()
    env = environment(one_thread=True, XDG_CACHE_HOME=str(cache.resolve()), KERAS_BACKEND="jax")
    run_modules("benchmarks.training._cost_points", paths, env)
    results = [read_json(folder / f"result-{k}.json") for k in range(n_processes)]
    shutil.rmtree(folder)
    return results


def measure_memory(plan: Plan) -> None:
    """Measure the memory of one process, unless that was done."""
    path = plan.runs / f"memory-{plan.memory_candidates}.json"
    if not path.exists():
        given = {"what": "memory", "candidates": plan.memory_candidates}
        readings = run_points(plan, given, 1, path.with_suffix(""))[0]
        write_json(path, {"readings": readings, "provenance": provenance()})
    readings = read_json(path)["readings"]
    with (plan.out / "memory.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(readings[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(readings)
    print(f"largest over smallest memory after {SETTLED} candidates: {spread(readings):.3f}")


def spread(readings: Sequence[dict[str, float]]) -> float:
    """Return the largest over the smallest memory once it should be flat."""
    settled = [reading["rss_mb"] for reading in readings if reading["candidates"] >= SETTLED] or [
        reading["rss_mb"] for reading in readings
    ]
    return max(settled) / min(settled)


def write(plan: Plan) -> dict[str, Any]:
    """Write table, summary and plot of what has been measured; return the summary."""
    rows = [
        {"varied": name, "value": value} | {k: result[k] for k in ("seconds_per_candidate", "first_s")}
        for name, values in plan.varied.items()
        for value in values
        if (path := plan.runs / f"{name}-{value}.json").exists()
        for result in [read_json(path)]
    ]
    if rows:
        with (plan.out / "costs.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    memory = plan.runs / f"memory-{plan.memory_candidates}.json"
    readings = read_json(memory)["readings"] if memory.exists() else []
    summary = provenance() | {"cpu": cpu_name(), "cores": n_cores(), "fixed": plan.fixed}
    if readings:
        summary["memory"] = {
            "candidates": plan.memory_candidates,
            "largest_mb": max(reading["rss_mb"] for reading in readings),
            "largest_over_smallest_when_settled": spread(readings),
        }
    write_json(plan.out / "costs.json", summary)
    draw(rows, readings, plan.out / "costs.png")
    return summary


def draw(rows: list[dict[str, Any]], readings: list[dict[str, float]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter

    names = list(dict.fromkeys(row["varied"] for row in rows)) + ["memory"] * bool(readings)
    if not names:
        return
    n_columns = min(len(names), 4)
    n_rows = -(-len(names) // n_columns)
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=(3.2 * n_columns, 2.8 * n_rows), squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    for axis, name in zip(axes.flat, names, strict=False):
        axis.grid(alpha=0.25)
        if name == "memory":
            axis.plot([r["candidates"] for r in readings], [r["rss_mb"] for r in readings], color="#0072B2")
            axis.set(xlabel="candidates of one process", ylabel="resident memory in MB", ylim=(0, None))
            continue
        of = [row for row in rows if row["varied"] == name]
        axis.plot([r["value"] for r in of], [r["seconds_per_candidate"] for r in of], "o-", color="#0072B2", ms=4)
        axis.set(xscale="log", yscale="log", xlabel=name, ylabel="seconds a candidate")
        values = [r["value"] for r in of]
        axis.set_xticks(values, [f"{value / 1000:g}k" if value >= 1000 else str(value) for value in values], fontsize=8)
        axis.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.tick_params(axis="y", which="minor", labelsize=7)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", action="store_true", help="measure memory instead of time")
    parser.add_argument("--candidates", type=int, default=MEMORY_CANDIDATES, help="of --memory; default: %(default)s")
    parser.add_argument("--vary", default=",".join(VARIED), help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=FIXED["epochs"], help="where fixed; default: %(default)s")
    parser.add_argument("--runs", type=Path, default=RUNS, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results; default: beside this file")
    given = parser.parse_args(arguments)
    names = [name.strip() for name in given.vary.split(",")]
    if unknown := [name for name in names if name not in VARIED]:
        parser.error(f"--vary {unknown[0]} is none of {', '.join(VARIED)}")
    given.out.mkdir(parents=True, exist_ok=True)
    varied = {name: VARIED[name] for name in names}
    plan = Plan(given.runs, given.out, FIXED | {"epochs": given.epochs}, varied, given.candidates)
    if given.memory:
        measure_memory(plan)
    else:
        measure(plan)
    write(plan)


if __name__ == "__main__":
    main()
